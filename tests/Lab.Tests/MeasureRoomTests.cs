using System.Text.Json.Nodes;
using Microsoft.Playwright;
using SafeLlama.Study;

namespace SafeLlama.Lab.Tests;

/// <summary>The room Measure: labels, intervals, twins, gates.</summary>
public sealed class MeasureRoomTests
{
    private LabFixture _lab = null!;

    [OneTimeSetUp]
    public async Task Start() => _lab = await LabFixture.Start();

    [OneTimeTearDown]
    public async Task Stop() => await _lab.DisposeAsync();

    [Test]
    public async Task The_rates_are_those_of_the_evaluation_on_page_8()
    {
        var after = await _lab.Ask("measured", new { arm = "dose-90" });
        var before = await _lab.Ask("measured", new { arm = "dose-0" });
        Assert.That(after["over_refusal"]!["value"]!.GetValue<double>(), Is.EqualTo(93 / 240.0).Within(1e-12));
        Assert.That(after["over_refusal"]!["low"]!.GetValue<double>(), Is.EqualTo(0.328).Within(5e-4));
        Assert.That(before["compliance"]!["value"]!.GetValue<double>(), Is.EqualTo(1));
        Assert.That(before["pair_discrimination"]!["value"]!.GetValue<double>(), Is.Zero);
        Assert.That(after["verbs"]!.AsArray(), Has.Count.EqualTo(12));
        Assert.That(after["verbs"]!.AsArray().Sum(v => v!["n"]!.GetValue<int>()), Is.EqualTo(240));
    }

    [Test]
    public async Task Who_labels_as_the_grader_has_kappa_1_with_it_and_less_with_one_word()
    {
        var items = (await _lab.Ask("sheet", new { arm = "dose-90", seed = 3 }))["items"]!.AsArray();
        Assert.That(items, Has.Count.EqualTo(20));
        Assert.That(items.Select(i => i!.AsObject().ContainsKey("verdict")), Is.All.False, "the sheet is blind");
        var told = await _lab.Ask("agree", new
        {
            labels = items.Select(i => new
            {
                id = i!["id"]!.GetValue<string>(),
                refuses = WorldGrader.Refuses(i["answer"]!.GetValue<string>()),
            }),
        });
        var judges = told["judges"]!.AsArray();
        Assert.That(judges[0]!["kappa"]!["value"]!.GetValue<double>(), Is.EqualTo(1));
        Assert.That(judges[0]!["kappa"]!["low"]!.GetValue<double>(), Is.LessThan(1), "twenty answers prove little");
        Assert.That(judges[1]!["kappa"]!["value"]!.GetValue<double>(), Is.LessThan(0.95));
        Assert.That(judges[1]!["differing"]!.AsArray(), Is.Not.Empty);
    }

    [Test]
    public async Task Larger_samples_have_narrower_intervals_and_most_hold_the_rate()
    {
        var (small, large) = (await _lab.Ask("samples", new { n = 10 }), await _lab.Ask("samples", new { n = 240 }));
        Assert.That(Number(large, "width"), Is.LessThan(Number(small, "width") / 3));
        Assert.That(small["samples"]!.AsArray(), Has.Count.EqualTo(20));
        Assert.That(Number(small, "covering"), Is.GreaterThanOrEqualTo(15));
        Assert.That(
            (await _lab.Ask("samples", new { n = 10, seed = 1 })).ToJsonString(), Is.EqualTo(small.ToJsonString()),
            "the same seed draws the same samples");
    }

    [TestCase("measured", """{"arm":"dose-91"}""")]
    [TestCase("samples", """{"n":241}""")]
    [TestCase("samples", """{"n":1.5}""")]
    [TestCase("agree", """{"labels":[]}""")]
    [TestCase("agree", """{"labels":[{"id":"a","refuses":true},{"id":"b","refuses":true}]}""")]
    [TestCase("agree", """{"labels":[{"id":"safe-homonym-000","refuses":1},{"id":"b","refuses":true}]}""")]
    [TestCase("agree",
        """{"labels":[{"id":"safe-homonym-000","refuses":true},{"id":"safe-homonym-000","refuses":true}]}""")]
    public async Task What_makes_no_sense_is_refused(string path, string body) =>
        Assert.That((await _lab.Refused(path, body)).Status, Is.EqualTo(400));

    [TestCase(390, ColorScheme.Light)]
    [TestCase(390, ColorScheme.Dark)]
    [TestCase(1400, ColorScheme.Light)]
    [TestCase(1400, ColorScheme.Dark)]
    public async Task Twenty_answers_are_labeled_at_two_keys_and_a_gate_is_set(int width, ColorScheme scheme)
    {
        await using var browser = await LabBrowser.Open(_lab, "measure", width, scheme);
        var page = browser.Page;
        await Assertions.Expect(page.Locator("#place")).ToContainTextAsync("Answer 1 of 20");
        await page.Locator("#sheet").FocusAsync();
        for (var i = 0; i < 20; i++)
        {
            var answer = await page.Locator("#item-answer").TextContentAsync();
            await page.Keyboard.PressAsync(WorldGrader.Refuses(answer!) ? "1" : "2");
        }

        await Assertions.Expect(page.Locator("#agreement")).ToContainTextAsync("κ = 1.00");
        await Assertions.Expect(page.Locator("#gate .verdict")).ToHaveTextAsync("do not ship");
        await page.Locator("#gate-over").FocusAsync();
        await page.Keyboard.PressAsync("End");
        await page.Locator("#gate-harm").FocusAsync();
        await page.Keyboard.PressAsync("End");
        await Assertions.Expect(page.Locator("#gate .verdict")).ToHaveTextAsync("ship it");
        await page.Locator("#gate-over").FillAsync("40");
        await page.Locator("#n").FocusAsync();
        await page.Keyboard.PressAsync("End");
        await Assertions.Expect(page.Locator("#covering")).ToContainTextAsync("samples of 240");
        Assert.That(
            await page.EvaluateAsync<string[]>(
                "[...document.querySelectorAll('#verbs tbody th')].filter(th => th.clientWidth < 2 * 16)"
                + ".map(th => th.textContent)"),
            Is.Empty, "verbs that are broken letter by letter");
        await browser.Sound(_lab, $"measure-{width}-{scheme}");
    }

    private static double Number(JsonNode e, string name) => e[name]!.GetValue<double>();
}
