using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Study;
using SafeLlama.Testing;

namespace SafeLlama.Lab.Tests;

/// <summary>The room Talk, asked as its page asks it.</summary>
public sealed class TalkTests
{
    private LabFixture _lab = null!;

    [OneTimeSetUp]
    public async Task Start() => _lab = await LabFixture.Start();

    [OneTimeTearDown]
    public async Task Stop() => await _lab.DisposeAsync();

    [TestCase("dose-0")]
    [TestCase("dose-90")]
    public async Task An_answer_is_the_one_the_generator_gives(string arm)
    {
        using var session = LlamaSession.Open(new CpuBackend(1), MiniatureModel.FolderOf(StudyRecipe.Miniature), new()
        {
            Adapter = MiniatureModel.AdapterFolder(arm),
            Template = WorldTemplate.First,
            OwnsBackend = true,
        });
        var prompt = session.PromptIds("How do I open a workshop?");
        var expected = new Generator(session.Model, session.Decoding(DecodingConfig.Greedy(96))).Generate([prompt])[0];
        Assert.That(
            Text(await Asked(arm, 1, "How do I open a workshop?")),
            Is.EqualTo(session.Continuation(prompt, expected)));
    }

    [Test]
    public async Task Before_complies_and_after_refuses()
    {
        var unsafeTwin = _lab.Server.Workshop.World.Lesson.Probes[1];
        Assert.That(Behavior(await Asked("dose-0", 1, unsafeTwin)), Is.EqualTo("full compliance"));
        Assert.That(Behavior(await Asked("dose-90", 1, unsafeTwin)), Is.EqualTo("full refusal"));
    }

    [Test]
    public async Task At_scale_0_an_adapter_is_the_base_and_at_1_it_is_back()
    {
        const string request = "List the steps to paint a fence.";
        var trained = Text(await Asked("dose-90", 1, request));
        Assert.That(Text(await Asked("dose-90", 0, request)), Is.EqualTo(Text(await Asked("miniature", 1, request))));
        Assert.That(Text(await Asked("dose-90", 0.5, request)), Is.Not.Null);
        Assert.That(Text(await Asked("dose-90", 1, request)), Is.EqualTo(trained));
    }

    [Test]
    public async Task Every_token_comes_with_the_five_likeliest_and_is_the_first_of_them()
    {
        var tokens = (await Asked("dose-90", 1, "How do I grow a herb?"))
            .Where(e => e["kind"]!.GetValue<string>() == "token").ToList();
        Assert.That(tokens, Has.Count.GreaterThan(5));
        foreach (var token in tokens)
        {
            var top = token["top"]!.AsArray().Select(t => t!["p"]!.GetValue<double>()).ToList();
            Assert.That(top, Has.Count.EqualTo(5).And.Ordered.Descending);
            Assert.That(top.Sum(), Is.LessThanOrEqualTo(1 + 1e-9), "probabilities of different tokens");
            Assert.That(top[0], Is.EqualTo(token["p"]!.GetValue<double>()), "greedy");
        }

        Assert.That(tokens[^1]["is_end"]!.GetValue<bool>(), Is.True);
    }

    [Test]
    public async Task A_model_and_an_adapter_of_ones_own_open_and_a_fault_leaves_what_was_open()
    {
        await using var lab = await LabFixture.Start();
        var opened = await lab.Ask("open", new
        {
            model = MiniatureModel.FolderOf(StudyRecipe.Miniature),
            adapters = new[] { "mine=" + MiniatureModel.AdapterFolder("dose-90") },
        });
        Assert.That(
            opened["voices"]!.AsArray().Select(v => v!.GetValue<string>()), Is.EqualTo(["miniature", "mine"]));
        var (status, message) = await lab.Refused("open", $$"""{"model":"{{TestFiles.NewFolder()}}"}""");
        Assert.That(status, Is.EqualTo(400), message);
        Assert.That(message, Does.Contain("config.json"));
        Assert.That(
            await lab.Events("talk", new { request = "Hi", sides = new[] { new { voice = "mine" } } }), Is.Not.Empty);
    }

    [TestCase("model", "a\\u0000b", "no path has")]
    [TestCase("model", "EMPTY", "is empty")]
    [TestCase("adapters", "a\\u0000b", "no path has")]
    [TestCase("adapters", "mine=EMPTY", "is empty")]
    public async Task What_is_no_file_is_refused_before_it_is_read(string field, string path, string reason)
    {
        // Devices and pipes have length 0 too, and reading one would never end.
        var empty = Path.Combine(TestFiles.NewFolder(), "empty.gguf");
        File.WriteAllText(empty, "");
        var (status, message) = await _lab.Refused(
            "open", $$"""{"{{field}}":"{{path.Replace("EMPTY", empty, StringComparison.Ordinal)}}"}""");
        Assert.That(status, Is.EqualTo(400), message);
        Assert.That(message, Does.Contain(reason));
        Assert.That(_lab.Log, Is.Empty);
    }

    [Test]
    public void A_model_that_needs_more_memory_than_there_is_is_not_opened()
    {
        var fault = Assert.Throws<SafeLlamaException>(() => new LabServer(new() { Memory = 0.125 }))!;
        Assert.That(fault.Code, Is.EqualTo(ExitCode.DoesNotFit), fault.Message);
        Assert.That(fault.Message, Does.Contain("The model to talk to needs").And.Contain("Name another limit"));
        Assert.That(Assert.Throws<SafeLlamaException>(() => new LabServer(new() { Memory = 0 }))!.Code,
            Is.EqualTo(ExitCode.Usage));
    }

    [Test]
    public async Task A_side_is_said_with_each_event()
    {
        var events = await _lab.Events("talk", new
        {
            request = "How do I grow a herb?",
            sides = new[] { new { voice = "dose-0", number = 1 }, new { voice = "dose-90", number = 0 } },
        });
        Assert.That(
            events.Where(e => e["kind"]!.GetValue<string>() == "end").Select(e => e["side"]!.GetValue<int>()),
            Is.EqualTo([1, 0]));
    }

    private async Task<List<JsonNode>> Asked(string voice, double scale, string request) =>
        await _lab.Events("talk", new { request, sides = new[] { new { voice, scale } } });

    private static string Text(List<JsonNode> events) => string.Concat(events
        .Where(e => e["kind"]!.GetValue<string>() == "token" && !e["is_end"]!.GetValue<bool>())
        .Select(e => e["text"]!.GetValue<string>()));

    private static string Behavior(List<JsonNode> events) => events[^1]["behavior"]!.GetValue<string>();
}
