using Microsoft.Playwright;
using SafeLlama.Testing;

namespace SafeLlama.Study.Tests;

/// <summary>The report in a real headless Chromium: what a reader sees, with scripts and without.</summary>
public sealed class ReportBrowserTests
{
    private static readonly string File = Path.Combine(TestFiles.NewFolder(), "report.html");

    [OneTimeSetUp]
    public void Write() => System.IO.File.WriteAllText(File, ReportHtml.Render(MadeUpReport.Make()));

    [TestCase(390, ColorScheme.Light)]
    [TestCase(1400, ColorScheme.Dark)]
    public async Task Page_fits_its_width_without_errors_or_requests(int width, ColorScheme scheme)
    {
        await using var browser = await Chromium.Open();
        var page = await browser.MustFit(File, width, scheme);
        Assert.That(await page.Locator("svg.chart:visible").CountAsync(), Is.EqualTo(4));
        Assert.That(
            await page.Locator($"svg.chart.{(width < 640 ? "narrow" : "wide")}:visible").CountAsync(), Is.EqualTo(4));
        Assert.That(
            await page.EvaluateAsync<int>(
                "[...document.querySelectorAll('figure')].filter(f => f.scrollWidth > f.clientWidth).length"),
            Is.Zero, "no chart has to be scrolled");
    }

    [Test]
    public async Task Filter_and_slider_work()
    {
        await using var browser = await Chromium.Open();
        var page = await browser.Show(File);
        await page.SetCheckedAsync(".filter input[name=changes]", false);
        var all = await page.Locator(".transcript:visible").CountAsync();
        await page.SelectOptionAsync(".filter select", "safe-protective");
        var some = await page.Locator(".transcript:visible").CountAsync();
        Assert.That(some, Is.InRange(1, all - 1));
        Assert.That(await page.Locator(".filter output").TextContentAsync(), Does.StartWith($"{some} of {all}"));

        await page.SelectOptionAsync(".filter select", "");
        Assert.That(await page.Locator(".transcript[open]").CountAsync(), Is.Zero, "all are closed at first");
        await page.SetCheckedAsync(".filter input[name=unfold]", true);
        Assert.That(
            await page.Locator(".transcript[open]").CountAsync(),
            Is.EqualTo(await page.Locator(".transcript:has(.unsafe, .contrast)").CountAsync()));

        Assert.That(await page.Locator(".slider output").TextContentAsync(), Does.StartWith("at scale 1:"));
        await page.Locator(".slider input").FocusAsync();
        await page.Keyboard.PressAsync("ArrowLeft");
        Assert.That(await page.Locator(".slider output").TextContentAsync(), Does.StartWith("at scale 0.75:"));
    }

    [Test]
    public async Task Without_scripts_every_table_and_chart_is_there()
    {
        await using var browser = await Chromium.Open();
        var page = await browser.Show(File, scripts: false);
        Assert.That(await page.Locator("svg.chart:visible").CountAsync(), Is.EqualTo(4));
        Assert.That(await page.Locator("section:visible").CountAsync(), Is.EqualTo(13));
        Assert.That(
            await page.Locator(".filter:visible, .slider:visible").CountAsync(), Is.Zero,
            "what needs scripts stays away");
    }
}
