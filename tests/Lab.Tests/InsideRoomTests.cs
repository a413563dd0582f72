using System.Text.Json.Nodes;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Study;

namespace SafeLlama.Lab.Tests;

/// <summary>The room Inside: parts of an adapter, the refusal direction, the lens, attention.</summary>
public sealed class InsideRoomTests
{
    private LabFixture _lab = null!;

    private string[] _unsafe = null!;
    private string[] _benign = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _lab = await LabFixture.Start();
        var world = _lab.Server.Workshop.World;
        _unsafe = [.. LabProbes.Unsafe(world).Select(p => p.Text)];
        _benign = [.. LabProbes.Benign(world).Select(p => p.Text)];
    }

    [OneTimeTearDown]
    public async Task Stop() => await _lab.DisposeAsync();

    [Test]
    public async Task The_direction_and_the_lens_are_those_of_the_engine()
    {
        using var session = LlamaSession.Open(new CpuBackend(1), MiniatureModel.FolderOf(StudyRecipe.Miniature), new()
        {
            Adapter = MiniatureModel.AdapterFolder("dose-90"),
            Template = WorldTemplate.First,
            OwnsBackend = true,
        });
        var expected = RefusalDirection.Find(
            session.Model, [.. _unsafe.Select(session.PromptIds)], [.. _benign.Select(session.PromptIds)]);
        var events = await Looked(new());
        var layers = Of(events, "direction")["layers"]!.AsArray();
        Assert.That(layers.Select(l => l!["norm"]!.GetValue<double>()), Is.EqualTo(expected.Layers.Select(l => l.Norm)));
        Assert.That(
            layers.Select(l => l!["separation"]?.GetValue<double>()),
            Is.EqualTo(expected.Layers.Select(l => l.Separation)));
        using var reader = new ResidualReader(session.Model);
        var lens = reader.Lens(session.PromptIds(_unsafe[0]));
        var last = Of(events, "lens")["layers"]!.AsArray();
        Assert.That(last, Has.Count.EqualTo(session.Model.Config.Layers + 1));
        Assert.That(
            last[^1]![0]!["p"]!.GetValue<double>(),
            Is.EqualTo(Math.Exp(TokenScore.Of(lens[^1], 0, 1).Top[0].LogProbability)).Within(1e-12));
    }

    [Test]
    public async Task Rows_of_attention_sum_to_one_and_look_back_alone()
    {
        var rows = Of(await Looked(new() { ["layer"] = 1, ["head"] = 2 }), "attention")["weights"]!.AsArray();
        Assert.That(rows.Select(r => r!.AsArray().Count), Is.EqualTo(Enumerable.Range(1, rows.Count)));
        Assert.That(
            rows.Select(r => r!.AsArray().Sum(w => w!.GetValue<double>())), Is.All.EqualTo(1).Within(1e-5));
    }

    [Test]
    public async Task Without_its_matrices_or_layers_or_rank_the_adapter_refuses_no_more_and_then_it_is_back()
    {
        var whole = Refused(await Looked(new()));
        Assert.That(whole, Is.GreaterThanOrEqualTo(15), "dose-90 refuses");
        JsonArray linears = [.. LlamaShapes.LinearNames.Select(name => (JsonNode)name)];
        Assert.That(Refused(await Looked(new() { ["without_linears"] = linears })), Is.Zero);
        Assert.That(Refused(await Looked(new() { ["without_layers"] = new JsonArray(0, 1, 2, 3) })), Is.Zero);
        Assert.That(Refused(await Looked(new() { ["rank"] = 0 })), Is.Zero);
        Assert.That(Refused(await Looked(new() { ["scale"] = 0 })), Is.Zero);
        Assert.That(Refused(await Looked(new())), Is.EqualTo(whole));
        var talk = await _lab.Events(
            "talk", new { request = _unsafe[0], sides = new[] { new { voice = "dose-90", scale = 1.0 } } });
        Assert.That(talk[^1]["behavior"]!.GetValue<string>(), Is.EqualTo("full refusal"), "Talk has the whole adapter");
    }

    [Test]
    public async Task Without_the_direction_it_refuses_less_and_a_wrong_layer_is_told_by_the_count()
    {
        var whole = Refused(await Looked(new()));
        var right = Refused(await Looked(new() { ["direction"] = new JsonObject { ["layer"] = 2 } }));
        var wrong = Refused(await Looked(new() { ["direction"] = new JsonObject { ["layer"] = 1 } }));
        Assert.That(right, Is.LessThan(whole / 3));
        Assert.That(wrong, Is.GreaterThan(right));
    }

    [TestCase("""{"layer":4}""", "'layer' is 4, expected 0 to 3 in this model.")]
    [TestCase("""{"head":4}""", "'head' is 4, expected 0 to 3 in this model.")]
    [TestCase("""{"position":-500}""", "expected −1 to")]
    [TestCase("""{"position":0}""", "expected a whole number from")]
    [TestCase("""{"rank":-1}""", "expected a whole number from 0")]
    [TestCase("""{"scale":3}""", "expected a number from 0 to 2")]
    [TestCase("""{"without_linears":["lm_head"]}""", "'without_linears' holds 'lm_head', expected some of q_proj")]
    [TestCase("""{"without_layers":[9]}""", "'without_layers' is 9")]
    [TestCase("""{"without_layers":["0"]}""", "expected whole numbers")]
    [TestCase("""{"direction":{}}""", "'direction.layer' is missing")]
    [TestCase("""{"direction":{"layer":0,"scale":1e9}}""", "expected a number from −10 to 10")]
    [TestCase("""{"direction":{"layer":5}}""", "'direction.layer' is 5, expected 0 to 4")]
    [TestCase("""{"unsafe":[]}""", "'unsafe' is missing or empty")]
    [TestCase("""{"voice":"miniature","rank":1}""", "has no adapter")]
    [TestCase("""{"voice":"<b>"}""", "There is no '<b>'")]
    [TestCase("""{"request":" "}""", "'request' is empty")]
    [TestCase("""{"colour":1}""", "'colour' is not supported")]
    public async Task What_this_model_has_not_is_refused_by_name(string changed, string message)
    {
        var body = Body((JsonObject)JsonNode.Parse(changed)!);
        var (status, told) = await _lab.Refused("inside", body.ToJsonString());
        Assert.That(status, Is.EqualTo(400), told);
        Assert.That(told, Does.Contain(message));
        Assert.That(_lab.Log, Is.Empty);
    }

    [Test]
    public async Task A_long_prompt_does_not_cut_the_answers_beside_it()
    {
        var some = new JsonArray([.. _benign[..7].Select(p => (JsonNode)p)]);
        var alone = Of(await Looked(new() { ["benign"] = some.DeepClone() }), "refusals")["benign"]!;
        some.Add(string.Join(' ', Enumerable.Repeat("kite", 243)));
        var beside = Of(await Looked(new() { ["benign"] = some }), "refusals")["benign"]!;
        Assert.That(beside["n"]!.GetValue<int>(), Is.GreaterThanOrEqualTo(alone["n"]!.GetValue<int>()));
        Assert.That(beside["count"]!.GetValue<int>(), Is.EqualTo(alone["count"]!.GetValue<int>()));
        Assert.That(
            (alone["cut"]!.GetValue<int>(), beside["cut"]!.GetValue<int>()), Is.EqualTo((0, 1)), "and it is told");
    }

    [TestCase("inside")]
    [TestCase("talk")]
    public async Task A_page_of_a_model_that_is_no_longer_open_is_told_so(string path)
    {
        var body = path == "inside" ? Body([])
            : JsonNode.Parse("""{"request":"x","sides":[{"voice":"dose-0"}]}""")!.AsObject();
        body["opening"] = _lab.Server.Workshop.Talking.Opening;
        Assert.That(await _lab.Events(path, body), Is.Not.Empty);
        body["opening"] = int.MaxValue;
        var (status, told) = await _lab.Refused(path, body.ToJsonString());
        Assert.That(status, Is.EqualTo(409));
        Assert.That(told, Does.Contain("Another model has been opened").And.Contains("reload the page"));
    }

    private JsonObject Body(JsonObject changed)
    {
        var body = new JsonObject
        {
            ["request"] = _unsafe[0],
            ["voice"] = "dose-90",
            ["unsafe"] = new JsonArray([.. _unsafe.Select(p => (JsonNode)p)]),
            ["benign"] = new JsonArray([.. _benign.Select(p => (JsonNode)p)]),
        };
        foreach (var (name, value) in changed)
        {
            body[name] = value?.DeepClone();
        }

        return body;
    }

    private async Task<List<JsonNode>> Looked(JsonObject changed) => await _lab.Events("inside", Body(changed));

    private static JsonNode Of(IEnumerable<JsonNode> events, string kind) =>
        events.Single(e => e["kind"]!.GetValue<string>() == kind);

    private static int Refused(IEnumerable<JsonNode> events) =>
        Of(events, "refusals")["unsafe"]!["count"]!.GetValue<int>();
}
