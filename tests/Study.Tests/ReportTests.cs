using System.Net;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Study.Tests;

/// <summary>The report over results made up for the test: what it shows, and what it never lets through.</summary>
public sealed partial class ReportTests
{
    private static readonly StudyReport Report = MadeUpReport.Make();

    [Test]
    public void No_name_of_a_recipe_is_more_than_a_name()
    {
        var made = MadeUpReport.Make();
        var recipe = made.Results.Recipe with
        {
            Name = SafeOutput.Names[1],
            Question = string.Join(' ', SafeOutput.Names),
            Models = [.. made.Results.Recipe.Models.Select((_, i) => SafeOutput.Names[i])],
            Metrics = [.. made.Results.Recipe.Metrics.Select((m, i) => m with { Title = SafeOutput.Names[i] })],
        };
        var report = made with
        {
            Results = made.Results with
            {
                Recipe = recipe,
                Arms =
                [
                    .. made.Results.Arms.Select(
                        (a, i) => a with { Arm = a.Arm with { Name = SafeOutput.Names[^(i + 1)] } }),
                ],
                Claims =
                [
                    .. made.Results.Claims.Select((c, i) => c with
                    {
                        Claim = c.Claim with { Statement = SafeOutput.Names[i + 5] },
                        Note = SafeOutput.Names[i],
                    }),
                ],
            },
        };
        SafeOutput.MustBeMarkdown(ReportMarkdown.Render(report));
        var html = ReportHtml.Render(report);
        SafeOutput.MustBeVisible(html);
        SafeOutput.MustBeVisible(WebUtility.HtmlDecode(html));
        Assert.That(html, Does.Not.Contain("<script>alert").And.Not.Contain("<img"));
    }

    [Test]
    public void Page_holds_every_part_and_its_contents_point_at_them()
    {
        var html = ReportHtml.Render(Report);
        foreach (Match link in Links().Matches(html))
        {
            Assert.That(html, Does.Contain($"id=\"{link.Groups[1].Value}\""));
        }

        Assert.That(Links().Matches(html), Has.Count.EqualTo(14), "thirteen parts and the skip link");
    }

    [Test]
    public void Page_loads_nothing_from_elsewhere()
    {
        var html = ReportHtml.Render(Report);
        Assert.That(html, Does.Not.Match(@"(src|href)\s*=\s*[""'](?!#)"));
        Assert.That(html, Does.Not.Contain("@import").And.Not.Match(@"url\((?!#)"));
        Assert.That(html, Does.Contain("default-src 'none'"));
    }

    [Test]
    public void What_a_model_says_is_shown_as_text()
    {
        var html = ReportHtml.Render(Report);
        Assert.That(html, Does.Not.Contain("<script>alert"));
        Assert.That(html, Does.Contain("&lt;script&gt;alert(1)&lt;/script&gt; **bold** | "));
        Assert.That(WebUtility.HtmlDecode(html), Does.Contain("⟨U+0007⟩⟨U+202E⟩").And.Not.Contain("\u202e"));
        var tags = html.Split("<script>").Length - 1;
        Assert.That(tags, Is.EqualTo(1), "the page's own");
    }

    [Test]
    public void Every_chart_is_an_image_with_a_title_and_a_description()
    {
        var html = ReportHtml.Render(Report);
        var charts = Charts().Matches(html);
        Assert.That(charts, Has.Count.EqualTo(2 * 4), "a wide and a narrow one of each");
        foreach (Match chart in charts)
        {
            var svg = XElement.Parse(chart.Value);
            Assert.That(svg.Attribute("role")?.Value, Is.EqualTo("img"));
            Assert.That(svg.Elements().First(e => e.Name.LocalName == "title").Value, Is.Not.Empty);
            Assert.That(svg.Elements().First(e => e.Name.LocalName == "desc").Value, Does.Match(@"\d"));
            Assert.That(chart.Value, Does.Contain("currentColor").And.Contain("var(--series-0)"), "light and dark");
            Assert.That(chart.Value, Does.Not.Contain("rgb(1,"));
        }
    }

    [Test]
    public void Unsafe_prompts_are_folded()
    {
        var html = ReportHtml.Render(Report);
        foreach (Match card in Cards().Matches(html))
        {
            if (card.Value.Contains("label unsafe", StringComparison.Ordinal))
            {
                Assert.That(card.Groups[1].Value, Does.Not.Contain(" open"));
            }
        }
    }

    [Test]
    public void Numbers_in_the_tables_are_the_results()
    {
        var (html, markdown) = (ReportHtml.Render(Report), ReportMarkdown.Render(Report));
        foreach (var arm in Report.Results.Arms)
        {
            foreach (var metric in arm.Metrics)
            {
                Assert.That(
                    WebUtility.HtmlDecode(html), Does.Contain($"<b>{Percent.Of(metric.Value.Value)}</b>"));
                Assert.That(markdown, Does.Contain(ReportText.Rate(metric.Value)));
            }
        }

        foreach (var claim in Report.Results.Claims)
        {
            Assert.That(WebUtility.HtmlDecode(html), Does.Contain(claim.Claim.Statement));
            Assert.That(markdown, Does.Contain(ReportText.Verdict(claim.Verdict)));
        }
    }

    [Test]
    public void Report_is_the_same_twice() =>
        Assert.That(ReportHtml.Render(Report), Is.EqualTo(ReportHtml.Render(MadeUpReport.Make())));

    [GeneratedRegex("<a[^>]*href=\"#([a-z]+)\"")]
    private static partial Regex Links();

    [GeneratedRegex("<svg class=\"chart (wide|narrow)\".*?</svg>", RegexOptions.Singleline)]
    private static partial Regex Charts();

    [GeneratedRegex("<details class=\"transcript\"([^>]*)>.*?</details>", RegexOptions.Singleline)]
    private static partial Regex Cards();
}
