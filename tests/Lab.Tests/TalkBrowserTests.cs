using Microsoft.Playwright;

namespace SafeLlama.Lab.Tests;

/// <summary>The room Talk as a user sees it.</summary>
public sealed class TalkBrowserTests
{
    private LabFixture _lab = null!;

    [OneTimeSetUp]
    public async Task Start() => _lab = await LabFixture.Start();

    [OneTimeTearDown]
    public async Task Stop() => await _lab.DisposeAsync();

    [TestCase(390, ColorScheme.Light)]
    [TestCase(390, ColorScheme.Dark)]
    [TestCase(1400, ColorScheme.Light)]
    [TestCase(1400, ColorScheme.Dark)]
    public async Task Both_answers_stand_side_by_side_and_a_token_shows_its_five(int width, ColorScheme scheme)
    {
        await using var browser = await LabBrowser.Open(_lab, "talk", width, scheme);
        await Answered(browser.Page);
        await browser.Page.Locator(".side").Nth(1).Locator(".token").First.ClickAsync();
        await Assertions.Expect(browser.Page.Locator(".side").Nth(1).Locator(".top5 tbody tr")).ToHaveCountAsync(5);
        await browser.Sound(_lab, $"talk-{width}-{scheme}");
    }

    [Test]
    public async Task The_keyboard_alone_asks_turns_the_scale_and_reads_a_token()
    {
        await using var browser = await LabBrowser.Open(_lab, "talk");
        var page = browser.Page;
        await Answered(page);
        await page.Keyboard.PressAsync("Tab");
        await Assertions.Expect(page.Locator(".skip")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await page.Keyboard.PressAsync("Tab");
        await Assertions.Expect(page.Locator("#request")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("ControlOrMeta+a");
        await page.Keyboard.TypeAsync("How do I kill a tailor?");
        await page.Keyboard.PressAsync("Enter");
        await Answered(page);

        var right = page.Locator(".side").Nth(1);
        await right.Locator("input[type=range]").FocusAsync();
        await page.Keyboard.PressAsync("Home");
        await Assertions.Expect(right.Locator("output")).ToHaveTextAsync("0.00");
        await Assertions.Expect(right.Locator(".verdict")).ToBeVisibleAsync();
        var atZero = await right.Locator(".answer").TextContentAsync();
        await page.Keyboard.PressAsync("End");
        await Assertions.Expect(right.Locator("output")).ToHaveTextAsync("2.00");
        await Assertions.Expect(right.Locator(".answer")).Not.ToHaveTextAsync(atZero!);
        await Assertions.Expect(right.Locator(".verdict")).ToBeVisibleAsync();

        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("ArrowRight");
        await Assertions.Expect(right.Locator(".token").Nth(1)).ToBeFocusedAsync();
        await Assertions.Expect(right.Locator(".top5 caption")).ToContainTextAsync("place 2");
        await browser.Sound(_lab, "talk-keyboard");
    }

    [Test]
    public async Task A_fault_is_told_on_the_page_and_text_is_never_markup()
    {
        await using var browser = await LabBrowser.Open(_lab, "talk");
        var page = browser.Page;
        await Answered(page);
        await page.Locator("details.own summary").ClickAsync();
        await page.Locator("#open input[name=model]").FillAsync("/nowhere/<img src=x onerror=alert(1)>");
        await page.Locator("#open button").ClickAsync();
        await Assertions.Expect(page.Locator("#fault")).ToContainTextAsync("<img src=x");
        Assert.That(await page.Locator("#fault img").CountAsync(), Is.Zero);
        Assert.That(browser.Errors, Has.All.Contains("400"), "the browser's own line for the refused request");
    }

    [Test]
    public async Task Answers_to_an_earlier_request_stay_dim_where_there_is_no_new_one()
    {
        await using var browser = await LabBrowser.Open(_lab, "talk");
        var page = browser.Page;
        await Answered(page);
        await page.Locator("#request").FillAsync(string.Join(' ', Enumerable.Repeat("kite", 300)));
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("#fault")).ToContainTextAsync("tokens with its template");
        await Assertions.Expect(page.Locator(".answer.stale")).ToHaveCountAsync(2);
        await page.Locator("#request").FillAsync("");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("#fault")).ToHaveTextAsync("Write a request first.");
        await page.Locator("#request").FillAsync("How do I grow a herb?");
        await page.Keyboard.PressAsync("Enter");
        await Answered(page);
        await Assertions.Expect(page.Locator(".stale")).ToHaveCountAsync(0);
    }

    [Test]
    public async Task Text_size_and_colors_change_at_a_key_and_stay()
    {
        await using var browser = await LabBrowser.Open(_lab, "talk");
        var page = browser.Page;
        await page.Locator("#size").PressAsync("Enter");
        await page.Locator("#size").PressAsync("Enter");
        await page.Locator("#scheme").PressAsync("Enter");
        await page.Locator("#scheme").PressAsync("Enter");
        await page.ReloadAsync();
        await Answered(page);
        await Assertions.Expect(page.Locator("#size")).ToHaveTextAsync("Aa ×1.5");
        await Assertions.Expect(page.Locator("html")).ToHaveAttributeAsync("data-scheme", "dark");
        await browser.Sound(_lab, "talk-projector");
    }

    private static async Task Answered(IPage page) =>
        await Assertions.Expect(page.Locator(".verdict")).ToHaveCountAsync(2);
}
