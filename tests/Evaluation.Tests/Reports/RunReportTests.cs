using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests;

/// <summary>The page of a run and the page of a comparison.</summary>
[TestFixture]
public sealed partial class RunReportTests
{
    private string _folder = "";
    private RunFolder _before = null!;
    private RunFolder _after = null!;

    [OneTimeSetUp]
    public async Task Write()
    {
        _folder = TestFiles.NewFolder();
        _before = await Run("before", _ => "Sure: 1. Do <b>it</b>. \u202e\u0007");
        _after = await Run("after", p => p switch
        {
            "Safe number 0?" => "",
            _ when p.StartsWith('C') => "I cannot help with that.",
            _ => "Sure: 1. Do it.",
        });
        File.WriteAllText(ComparisonFile, Compared().ToHtml());
    }

    [OneTimeTearDown]
    public void Delete() => Directory.Delete(_folder, recursive: true);

    private string ComparisonFile => Path.Combine(_folder, ComparisonReport.FileName);

    private static string PageOf(RunFolder run) => Path.Combine(run.Path, RunReport.FileName);

    [Test]
    public void Page_holds_every_answer_with_every_verdict()
    {
        var html = WebUtility.HtmlDecode(File.ReadAllText(PageOf(_after)));
        var cards = Cards().Matches(html);
        Assert.That(cards, Has.Count.EqualTo(_after.Responses.Count));
        foreach (var (card, answer) in cards.Zip(RunAnswer.Of(_after)))
        {
            Assert.That(card.Value, Does.Contain(answer.Prompt.Text).And.Contain(answer.Response.Answer));
            foreach (var outcome in answer.Outcomes)
            {
                Assert.That(card.Value, Does.Contain(VerdictText.Of(outcome.Verdict)));
            }
        }
    }

    [Test]
    public void Headline_is_that_of_the_run()
    {
        var html = WebUtility.HtmlDecode(File.ReadAllText(PageOf(_after)));
        foreach (var row in HeadlineRow.Of(_after))
        {
            Assert.That(html, Does.Contain($"<td>{row.ValueText}</td>"));
            Assert.That(html, Does.Contain($"<td class=\"whole\">{row.LimitsText}</td>"));
        }
    }

    [Test]
    public void What_may_harm_is_folded_and_nothing_else()
    {
        foreach (Match card in Cards().Matches(File.ReadAllText(PageOf(_after))))
        {
            var tag = card.Value[..card.Value.IndexOf('>', StringComparison.Ordinal)];
            var open = tag.EndsWith(" open", StringComparison.Ordinal);
            Assert.That(open, Is.EqualTo(card.Value.Contains("data-folded=\"no\"", StringComparison.Ordinal)));
            Assert.That(card.Value.Contains("Contrast number", StringComparison.Ordinal) && open, Is.False);
        }
    }

    [Test]
    public void Text_of_a_model_stays_text()
    {
        foreach (var file in new[] { PageOf(_before), ComparisonFile })
        {
            var html = File.ReadAllText(file);
            SafeOutput.MustBeVisible(html);
            SafeOutput.MustBeVisible(WebUtility.HtmlDecode(html));
            Assert.That(html, Does.Not.Contain("<b>it").And.Contain("&lt;b&gt;it"));
            Assert.That(html, Does.Not.Match(@"(src|href)\s*=\s*[""'](?!#)"), "nothing from elsewhere");
            Assert.That(html.Split("<script>"), Has.Length.EqualTo(2), "the page's own");
        }
    }

    [Test]
    public void Comparison_shows_the_answers_that_changed_and_no_others()
    {
        var changes = Compared().Changes;
        Assert.That(
            changes.Select(c => (c.Judge, c.Before.Prompt.Id)).Order(),
            Is.EqualTo(Enumerable.Range(0, 6).Select(i => ("refusal", $"c{i}")).Append(("refusal", "s0"))
                .Concat([("score", "s0")]).Order()));
        Assert.That(changes.Where(c => c.Before.Prompt.Label == PromptLabel.Contrast).All(c => c.IsFolded));
    }

    [Test]
    public async Task A_run_of_many_invalid_answers_says_so_at_the_top()
    {
        var run = await Run("empty", _ => "");
        Assert.That(File.ReadAllText(PageOf(run)), Does.Contain("12 of 12 answers are no valid answers"));
        Assert.That(File.ReadAllText(PageOf(_after)), Does.Not.Contain("answers are no valid answers"));
    }

    [TestCase(390, ColorScheme.Light)]
    [TestCase(1400, ColorScheme.Dark)]
    public async Task Pages_fit_their_width_without_errors_or_requests(int width, ColorScheme scheme)
    {
        await using var browser = await Chromium.Open();
        await browser.MustFit(PageOf(_after), width, scheme);
        await browser.MustFit(ComparisonFile, width, scheme);
    }

    [Test]
    public async Task Filters_choose_and_one_switch_unfolds()
    {
        await using var browser = await Chromium.Open();
        var page = await browser.Show(PageOf(_after));
        async Task<int> Shown() => await page.Locator(".transcript:visible").CountAsync();
        Assert.That(await Shown(), Is.EqualTo(12));
        await page.SelectOptionAsync("select[name=kind]", "refused");
        Assert.That(await Shown(), Is.EqualTo(6));
        Assert.That(await page.Locator(".filter output").TextContentAsync(), Does.StartWith("6 of 12"));
        await page.SelectOptionAsync("select[name=label]", "safe");
        Assert.That(await Shown(), Is.Zero);
        await page.SelectOptionAsync("select[name=label]", "");
        await page.SelectOptionAsync("select[name=kind]", "invalid");
        Assert.That(await Shown(), Is.EqualTo(1));
        await page.SelectOptionAsync("select[name=kind]", "");
        await page.FillAsync("input[name=text]", "number 3");
        Assert.That(await Shown(), Is.EqualTo(2));

        Assert.That(await page.Locator(".transcript[open]:visible").CountAsync(), Is.EqualTo(1));
        await page.Locator("input[name=unfold]").FocusAsync();
        await page.Keyboard.PressAsync("Space");
        Assert.That(await page.Locator(".transcript[open]:visible").CountAsync(), Is.EqualTo(2));
    }

    private ComparisonReport Compared() =>
        ComparisonReport.Of(Comparison.Of([_before, _after]), [_before, _after]);

    private async Task<RunFolder> Run(string name, Func<string, string> answer)
    {
        var plan = new EvaluationPlan(
            Path.Combine(_folder, name), [Suites.Make()], [new RefusalMatcher(), new FakeScoreJudge()])
        {
            Responder = new FakeResponder(name, answer),
        };
        await EvaluationRun.RunAsync(plan);
        return RunFolder.Open(plan.Out);
    }

    [GeneratedRegex("<details class=\"transcript\".*?</details>", RegexOptions.Singleline)]
    private static partial Regex Cards();
}
