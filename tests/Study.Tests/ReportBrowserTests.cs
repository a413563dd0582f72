using Microsoft.Playwright;
using SafeLlama.Testing;

namespace SafeLlama.Study.Tests;

/// <summary>The report in a real headless Chromium: what a reader sees, with scripts and without.</summary>
public sealed class ReportBrowserTests
{
    private static readonly string[] Places =
        ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    /// <summary>Milliseconds: a machine that runs all tests at once is slow to open a page.</summary>
    private const float Patience = 180_000;

    private static readonly string File = Path.Combine(TestFiles.NewFolder(), "report.html");

    [OneTimeSetUp]
    public void Write() => System.IO.File.WriteAllText(File, ReportHtml.Render(MadeUpReport.Make()));

    [TestCase(390, ColorScheme.Light)]
    [TestCase(1400, ColorScheme.Dark)]
    public async Task Page_fits_its_width_without_errors_or_requests(int width, ColorScheme scheme)
    {
        await using var browser = await Open();
        var page = await browser.NewPageAsync(
            new() { ViewportSize = new() { Width = width, Height = 900 }, ColorScheme = scheme });
        var (errors, requests) = (new List<string>(), new List<string>());
        page.Console += (_, message) => errors.Add(message.Text);
        page.PageError += (_, error) => errors.Add(error);
        page.Request += (_, request) => requests.Add(request.Url);
        page.SetDefaultTimeout(Patience);
        await page.GotoAsync("file://" + File);
        Assert.That(errors, Is.Empty);
        Assert.That(requests, Has.Count.EqualTo(1), "the page itself");
        Assert.That(await page.Locator("svg.chart").CountAsync(), Is.EqualTo(4));
        Assert.That(
            await page.EvaluateAsync<int>("document.documentElement.scrollWidth"), Is.LessThanOrEqualTo(width),
            "nothing sticks out");
        await Keep(page, $"{width}-{scheme}");
    }

    [Test]
    public async Task Filter_and_slider_work()
    {
        await using var browser = await Open();
        var page = await browser.NewPageAsync();
        page.SetDefaultTimeout(Patience);
        await page.GotoAsync("file://" + File);
        var all = await page.Locator(".transcript:visible").CountAsync();
        await page.SelectOptionAsync(".filter select", "safe-protective");
        var some = await page.Locator(".transcript:visible").CountAsync();
        Assert.That(some, Is.InRange(1, all - 1));
        Assert.That(await page.Locator(".filter output").TextContentAsync(), Does.StartWith($"{some} of {all}"));

        Assert.That(await page.Locator(".slider output").TextContentAsync(), Does.StartWith("at scale 1:"));
        await page.Locator(".slider input").FocusAsync();
        await page.Keyboard.PressAsync("ArrowLeft");
        Assert.That(await page.Locator(".slider output").TextContentAsync(), Does.StartWith("at scale 0.75:"));
    }

    [Test]
    public async Task Without_scripts_every_table_and_chart_is_there()
    {
        await using var browser = await Open();
        var context = await browser.NewContextAsync(new() { JavaScriptEnabled = false });
        var page = await context.NewPageAsync();
        page.SetDefaultTimeout(Patience);
        await page.GotoAsync("file://" + File);
        Assert.That(await page.Locator("svg.chart:visible").CountAsync(), Is.EqualTo(4));
        Assert.That(await page.Locator("section:visible").CountAsync(), Is.EqualTo(11));
        Assert.That(
            await page.Locator(".filter:visible, .slider:visible").CountAsync(), Is.Zero,
            "what needs scripts stays away");
    }

    private static async Task<IBrowser> Open()
    {
        var chromium = Array.Find(Places, System.IO.File.Exists);
        if (chromium is null)
        {
            Assert.Ignore("No Chromium is installed here (apt-get install chromium).");
        }

        var playwright = await Playwright.CreateAsync();
        return await playwright.Chromium.LaunchAsync(
            new() { ExecutablePath = chromium, Args = ["--no-sandbox"], Timeout = Patience });
    }

    /// <summary>SAFELLAMA_KEEP_REPORT names a folder for pictures of the page.</summary>
    private static async Task Keep(IPage page, string name)
    {
        if (Environment.GetEnvironmentVariable("SAFELLAMA_KEEP_REPORT") is { Length: > 0 } folder)
        {
            await page.ScreenshotAsync(new() { Path = Path.Combine(folder, name + ".png"), FullPage = true });
        }
    }
}
