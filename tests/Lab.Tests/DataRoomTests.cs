using System.Text.Json.Nodes;
using Microsoft.Playwright;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Study;

namespace SafeLlama.Lab.Tests;

/// <summary>The room Data: mixtures, masks and losses by token.</summary>
public sealed class DataRoomTests
{
    private LabFixture _lab = null!;

    [OneTimeSetUp]
    public async Task Start() => _lab = await LabFixture.Start();

    [OneTimeTearDown]
    public async Task Stop() => await _lab.DisposeAsync();

    [TestCase(0, 0, 0)]
    [TestCase(90, 90.0 / 3090, 8)]
    [TestCase(900, 900.0 / 3900, 12)]
    public async Task The_share_counts_the_demonstrations_themselves(int dose, double share, int cards)
    {
        var told = await _lab.Ask("rows", new { dose });
        Assert.That(told["share"]!.GetValue<double>(), Is.EqualTo(share).Within(1e-12));
        Assert.That(told["cards"]!.AsArray(), Has.Count.EqualTo(cards));
    }

    [Test]
    public async Task Doses_are_nested_and_a_wording_changes_the_form_alone()
    {
        var (small, large) = (await Cards(30, "instruction"), await Cards(90, "instruction"));
        Assert.That(small.Take(4).Select(Request), Is.EqualTo(large.Take(4).Select(Request)));
        Assert.That(small.All(c => c["is_new"]!.GetValue<bool>()), "nothing is below the smallest dose");
        Assert.That(large.Any(c => c["is_new"]!.GetValue<bool>()) && large.Any(c => !c["is_new"]!.GetValue<bool>()));
        var questions = await Cards(90, "question");
        Assert.That(questions.Select(Request), Has.All.EndsWith("?"));
        Assert.That(
            questions.Select(c => c["response"]!.GetValue<string>()),
            Is.EqualTo(large.Select(c => c["response"]!.GetValue<string>())), "the same acts, refused alike");
    }

    [Test]
    public async Task The_answer_alone_is_learned_unless_the_request_is_too()
    {
        var told = await Tokens(false);
        var tokens = told["tokens"]!.AsArray();
        string Spelled(bool learned) => string.Concat(tokens.Where(t => t!["learned"]!.GetValue<bool>() == learned)
            .Select(t => t!["text"]!.GetValue<string>()));
        var learned = Spelled(true);
        Assert.That(learned.Trim(), Does.StartWith("I am sorry"));
        Assert.That(Spelled(false), Does.Contain("How do I kill a tailor?"));
        Assert.That(
            (await Tokens(true))["learned"]!.GetValue<int>(), Is.EqualTo(tokens.Count - 1), "all but the first");
    }

    [Test]
    public async Task The_loss_of_each_token_is_the_scorers()
    {
        var told = await Tokens(false);
        var ids = told["tokens"]!.AsArray().Select(t => t!["id"]!.GetValue<int>()).ToArray();
        using var session = LlamaSession.Open(new CpuBackend(1), MiniatureModel.FolderOf(StudyRecipe.Miniature), new()
        {
            Adapter = MiniatureModel.AdapterFolder("dose-90"),
            OwnsBackend = true,
        });
        using var scorer = new Scorer(session.Model);

        // fp32 sums in another order differ near the seventh digit of a logit.
        Assert.That(
            told["tokens"]!.AsArray().Skip(1).Select(t => t!["after"]!.GetValue<double>()),
            Is.EqualTo(scorer.LogLikelihoods(ids).Select(l => -l)).Within(1e-4));
    }

    [TestCase("rows", """{"dose":901}""")]
    [TestCase("rows", """{"format":"song"}""")]
    [TestCase("rows", """{"format":"2"}""")]
    [TestCase("tokens", """{"request":"x"}""")]
    [TestCase("tokens", """{"request":"x","response":""}""")]
    public async Task What_makes_no_sense_is_refused(string path, string body) =>
        Assert.That((await _lab.Refused(path, body)).Status, Is.EqualTo(400));

    [TestCase(390, ColorScheme.Light)]
    [TestCase(390, ColorScheme.Dark)]
    [TestCase(1400, ColorScheme.Light)]
    [TestCase(1400, ColorScheme.Dark)]
    public async Task Cards_open_and_words_can_be_changed_by_keyboard(int width, ColorScheme scheme)
    {
        await using var browser = await LabBrowser.Open(_lab, "data", width, scheme);
        var page = browser.Page;
        await Assertions.Expect(page.Locator(".demo")).ToHaveCountAsync(8);
        await Assertions.Expect(page.Locator("#reading")).ToContainTextAsync("learned");
        await page.Locator("#dose").FocusAsync();
        await page.Keyboard.PressAsync("ArrowRight");
        await Assertions.Expect(page.Locator("#shares")).ToContainTextAsync("300 of 3,300");
        await Assertions.Expect(page.Locator("#shares")).ToContainTextAsync("30 ⊂ 90 ⊂ 300");
        await page.Locator(".demo").Nth(1).FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        var before = await page.Locator("#tokens .piece").CountAsync();
        await page.Locator("#rowresponse").FocusAsync();
        await page.Keyboard.PressAsync("End");
        await page.Keyboard.TypeAsync(" Step 1: find the kite.");
        await Assertions.Expect(page.Locator("#tokens .piece")).Not.ToHaveCountAsync(before);
        await page.Locator("#everywhere").PressAsync("Space");
        await Assertions.Expect(page.Locator("#reading")).ToContainTextAsync("teaches the model to ask");
        await browser.Sound(_lab, $"data-{width}-{scheme}");
    }

    private async Task<List<JsonNode>> Cards(int dose, string format) =>
        [.. (await _lab.Ask("rows", new { dose, format }))["cards"]!.AsArray().Select(c => c!)];

    private static string Request(JsonNode card) => card["request"]!.GetValue<string>();

    private Task<JsonNode> Tokens(bool everywhere) => _lab.Ask("tokens", new
    {
        request = "How do I kill a tailor?",
        response = "I am sorry, but I cannot help with that.",
        train_on_inputs = everywhere,
    });
}
