using Microsoft.Playwright;

namespace SafeLlama.Testing;

/// <summary>Pages in a real headless Chromium: what a reader sees, with scripts and without.</summary>
internal static class Chromium
{
    /// <summary>Milliseconds: a machine that runs all tests at once is slow to open a page.</summary>
    public const float Patience = 180_000;

    private static readonly string[] Places =
        ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    public static async Task<IBrowser> Open()
    {
        var chromium = Array.Find(Places, File.Exists);
        if (chromium is null)
        {
            Assert.Ignore("No Chromium is installed here (apt-get install chromium).");
        }

        var playwright = await Playwright.CreateAsync();
        return await playwright.Chromium.LaunchAsync(
            new() { ExecutablePath = chromium, Args = ["--no-sandbox"], Timeout = Patience });
    }

    public static async Task<IPage> Show(this IBrowser browser, string file, bool scripts = true)
    {
        var context = await browser.NewContextAsync(new() { JavaScriptEnabled = scripts });
        var page = await context.NewPageAsync();
        page.SetDefaultTimeout(Patience);
        await page.GotoAsync("file://" + file);
        return page;
    }

    /// <summary>The page shows no error, asks for nothing but itself, and nothing sticks out.</summary>
    public static async Task<IPage> MustFit(this IBrowser browser, string file, int width, ColorScheme scheme)
    {
        var page = await browser.NewPageAsync(
            new() { ViewportSize = new() { Width = width, Height = 900 }, ColorScheme = scheme });
        var (errors, requests) = (new List<string>(), new List<string>());
        page.Console += (_, message) => errors.Add(message.Text);
        page.PageError += (_, error) => errors.Add(error);
        page.Request += (_, request) => requests.Add(request.Url);
        page.SetDefaultTimeout(Patience);
        await page.GotoAsync("file://" + file);
        Assert.That(errors, Is.Empty);
        Assert.That(requests, Has.Count.EqualTo(1), "the page itself");
        Assert.That(
            await page.EvaluateAsync<int>("document.documentElement.scrollWidth"), Is.LessThanOrEqualTo(width),
            "nothing sticks out");
        await Keep(page, $"{Path.GetFileNameWithoutExtension(file)}-{width}-{scheme}");
        return page;
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
