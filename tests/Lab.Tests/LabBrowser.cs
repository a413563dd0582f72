using Microsoft.Playwright;
using SafeLlama.Testing;

namespace SafeLlama.Lab.Tests;

/// <summary>A room in a real headless Chromium, and everything that went wrong in it.</summary>
internal sealed class LabBrowser : IAsyncDisposable
{
    private readonly IBrowser _browser;

    private LabBrowser(IBrowser browser, IPage page) => (_browser, Page) = (browser, page);

    public IPage Page { get; }

    /// <summary>Console messages and uncaught errors.</summary>
    public List<string> Errors { get; } = [];

    public List<string> Requests { get; } = [];

    public static async Task<LabBrowser> Open(
        LabFixture lab, string room, int width = 1400, ColorScheme scheme = ColorScheme.Light)
    {
        var browser = await Chromium.Open();
        var page = await browser.NewPageAsync(
            new() { ViewportSize = new() { Width = width, Height = 900 }, ColorScheme = scheme });
        page.SetDefaultTimeout(Chromium.Patience);
        var opened = new LabBrowser(browser, page);
        page.Console += (_, message) => opened.Errors.Add(message.Text);
        page.PageError += (_, error) => opened.Errors.Add(error);
        page.Request += (_, request) => opened.Requests.Add(request.Url);
        await page.GotoAsync(new Uri(lab.Server.Address, room).ToString());
        return opened;
    }

    /// <summary>
    /// No error, nothing asked of elsewhere, nothing wider than the page; and a picture where asked for.
    /// </summary>
    public async Task Sound(LabFixture lab, string picture)
    {
        Assert.That(Errors, Is.Empty);
        Assert.That(
            Requests.Where(url => !url.StartsWith(lab.Server.Address.ToString(), StringComparison.Ordinal)), Is.Empty);
        Assert.That(
            await Page.EvaluateAsync<int>("document.documentElement.scrollWidth"),
            Is.LessThanOrEqualTo(Page.ViewportSize!.Width), "nothing sticks out");
        Assert.That(await Page.Locator("#fault:visible").CountAsync(), Is.Zero);
        if (Environment.GetEnvironmentVariable("SAFELLAMA_KEEP_REPORT") is { Length: > 0 } folder)
        {
            await Page.ScreenshotAsync(new() { Path = Path.Combine(folder, picture + ".png"), FullPage = true });
        }
    }

    public async ValueTask DisposeAsync() => await _browser.DisposeAsync();
}
