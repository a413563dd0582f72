using System.Net.Http.Json;
using Microsoft.Playwright;

namespace SafeLlama.Lab.Tests;

/// <summary>The room Inside as a user sees it.</summary>
public sealed class InsidePageTests
{
    private LabFixture _lab = null!;

    [OneTimeSetUp]
    public async Task Start() => _lab = await LabFixture.Start();

    [OneTimeTearDown]
    public async Task Stop() => await _lab.DisposeAsync();

    [TestCase(390, ColorScheme.Light)]
    [TestCase(1400, ColorScheme.Dark)]
    public async Task Refusals_follow_a_switch_and_a_token_shows_what_it_looks_at(int width, ColorScheme scheme)
    {
        await using var browser = await LabBrowser.Open(_lab, "inside", width, scheme);
        var page = browser.Page;
        await Settled(page);
        var before = await page.Locator("#refusals b").First.TextContentAsync();
        await page.Locator("#scale").FocusAsync();
        await page.Keyboard.PressAsync("Home");
        await Assertions.Expect(page.Locator("#refusals b").First).ToHaveTextAsync("0 of 19 ");
        await page.Keyboard.PressAsync("Home");
        await page.Locator("#scale").FillAsync("1");
        await Assertions.Expect(page.Locator("#refusals b").First).ToHaveTextAsync(before!);
        await page.Locator("#tokens .piece").Last.FocusAsync();
        await page.Keyboard.PressAsync("ArrowLeft");
        await Settled(page);
        await Assertions.Expect(page.Locator("#tokens .piece[aria-pressed=true]")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("ArrowLeft");
        await Settled(page);
        await Assertions.Expect(page.Locator("#tokens .piece[aria-pressed=true]")).ToBeFocusedAsync();
        Assert.That(
            await page.Locator("#tokens .piece[aria-pressed=true] ~ .piece").CountAsync(), Is.EqualTo(2),
            "two to the left of the last, after two answers");
        await Assertions.Expect(page.Locator("#attended")).ToContainTextAsync("attends most to");
        await Assertions.Expect(page.Locator("#lens tbody tr")).ToHaveCountAsync(5);
        await Settled(page);
        await browser.Sound(_lab, $"inside-{width}-{scheme}");
    }

    [Test]
    public async Task A_prompt_with_markup_is_text_and_nothing_else()
    {
        await using var browser = await LabBrowser.Open(_lab, "inside");
        var page = browser.Page;
        await Settled(page);
        await page.Locator("#request").FillAsync("<img src=x onerror=alert(1)>\u001b[31m");
        await page.Keyboard.PressAsync("Enter");
        await Settled(page);
        Assert.That(await page.Locator("#tokens img, #answer img, #lens img").CountAsync(), Is.Zero);
        await browser.Sound(_lab, "inside-markup");
    }

    [Test]
    public async Task What_is_not_of_the_last_change_stays_dim_and_the_reason_is_told()
    {
        await using var browser = await LabBrowser.Open(_lab, "inside");
        var page = browser.Page;
        await Settled(page);
        await page.Locator("#tokens .piece").First.ClickAsync();
        await Settled(page);
        await page.Locator("#request").FillAsync("");
        await page.Locator("#ask button").ClickAsync();
        await Assertions.Expect(page.Locator("#fault")).ToHaveTextAsync("Write a request first.");
        await Assertions.Expect(page.Locator("#answer.stale, #refusals.stale, #lens.stale")).ToHaveCountAsync(3);
        await page.Locator("#request").FillAsync(string.Join(' ', Enumerable.Repeat("kite", 300)));
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("#fault")).ToContainTextAsync("tokens with its template");
        await Assertions.Expect(page.Locator("#answer.stale, #refusals.stale, #lens.stale")).ToHaveCountAsync(3);

        // A shorter request has fewer tokens than the place that was chosen.
        await page.Locator("#request").FillAsync("Hi");
        await page.Locator("#scale").FillAsync("0.5");
        await Settled(page);
        await Assertions.Expect(page.Locator("#fault")).ToBeHiddenAsync();
        await Assertions.Expect(page.Locator(".stale")).ToHaveCountAsync(0);
    }

    [Test]
    public async Task A_model_that_is_opened_in_Talk_is_not_shown_under_the_name_of_the_one_before()
    {
        await using var lab = await LabFixture.Start();
        await using var browser = await LabBrowser.Open(lab, "inside");
        var page = browser.Page;
        await Settled(page);
        using var opened = await lab.Client.PostAsJsonAsync("api/open", new { model = "" });
        Assert.That(opened.IsSuccessStatusCode);
        await page.Locator("#scale").FillAsync("0.5");
        await Assertions.Expect(page.Locator("#fault")).ToContainTextAsync("Another model has been opened");
        await Assertions.Expect(page.Locator("#answer.stale, #refusals.stale")).ToHaveCountAsync(2);
        await page.ReloadAsync();
        await Settled(page);
        await Assertions.Expect(page.Locator("#fault")).ToBeHiddenAsync();
    }

    [Test]
    public async Task On_the_way_back_the_numbers_are_those_of_the_knobs()
    {
        await using var browser = await LabBrowser.Open(_lab, "inside");
        var page = browser.Page;
        await Settled(page);
        await page.Locator("#linears input[value=q_proj]").UncheckAsync();
        await page.Locator("#layers input").Nth(1).UncheckAsync();
        await page.Locator("#scale").FillAsync("0.3");
        await Settled(page);
        var (refusals, answer) = (await page.Locator("#refusals").TextContentAsync(),
            await page.Locator("#answer").TextContentAsync());
        await page.GotoAsync(new Uri(_lab.Server.Address, "data").ToString());
        await page.GoBackAsync();
        await Settled(page);
        await Assertions.Expect(page.Locator("#scale")).ToHaveValueAsync("0.3");
        await Assertions.Expect(page.Locator("#scale + output")).ToHaveTextAsync("0.30");
        await Assertions.Expect(page.Locator("#answer")).ToHaveTextAsync(answer!);
        await Assertions.Expect(page.Locator("#refusals")).ToHaveTextAsync(refusals!);
    }

    private static async Task Settled(IPage page) => await Assertions.Expect(
        page.Locator("#refusals:not(.stale) b")).ToHaveCountAsync(2);
}
