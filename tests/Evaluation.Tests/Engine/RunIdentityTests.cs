using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests;

/// <summary>
/// Run folders of version 0.1.0, made with the shipped miniature, are those the program makes today: same hashes, same
/// decoding, same answers.
/// </summary>
public sealed class RunIdentityTests
{
    private static readonly string Model = Path.Combine(TestFiles.Root, "assets", "miniature");

    private static readonly DecodingConfig Sampling = new()
    {
        Profile = "sampling",
        MaxNewTokens = 6,
        Temperature = 0.8,
        TopK = 5,
        Seed = 1,
    };

    [TestCase("greedy")]
    [TestCase("sampling")]
    public async Task A_run_folder_keeps_its_identity_and_its_answers(string name)
    {
        var kept = Path.Combine(TestFiles.Root, "tests", "fixtures", "runs", name);
        var folder = Path.Combine(TestFiles.NewFolder(), "run");
        using var backend = new CpuBackend(1);
        using var session = Open(backend, name);
        await EvaluationRun.RunAsync(Plan(session, name, folder));
        var (before, now) = (RunManifest.Read(kept), RunManifest.Read(folder));
        Assert.That(now.Model, Is.EqualTo(before.Model));
        Assert.That(now.Facts, Is.EqualTo(before.Facts));
        Assert.That(Written(now), Is.EqualTo(Written(before)), "the manifest's text");
        Assert.That(
            File.ReadAllText(Path.Combine(folder, "responses.jsonl")),
            Is.EqualTo(File.ReadAllText(Path.Combine(kept, "responses.jsonl"))));
    }

    [Test]
    public async Task A_kept_run_folder_is_continued_without_answering_again()
    {
        var folder = TestFiles.NewFolder();
        foreach (var file in Directory.GetFiles(Path.Combine(TestFiles.Root, "tests", "fixtures", "runs", "sampling")))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        (RunManifest.Read(folder) with { Version = RunManifest.ProgramVersion }).Write(folder);
        using var backend = new CpuBackend(1);
        using var session = Open(backend, "sampling");
        var result = await EvaluationRun.RunAsync(Plan(session, "sampling", folder) with { Resume = true });
        Assert.That(result.Generated, Is.Zero);
    }

    [Test]
    public void Another_adapter_or_template_is_another_identity()
    {
        var tokenizer = TokenizerLoader.Load(Model).Hash;
        var plain = ModelIdentity.Of(Model, null, tokenizer, "alpaca");
        Assert.That(ModelIdentity.Of(Model, null, tokenizer, "llama3").Hash, Is.Not.EqualTo(plain.Hash));
        Assert.That(ModelIdentity.Of(Model, Model, tokenizer, "alpaca").Hash, Is.Not.EqualTo(plain.Hash));
        Assert.That(ModelIdentity.Of(Model, null, tokenizer, "alpaca").Hash, Is.EqualTo(plain.Hash));
    }

    /// <summary>Answers computed in bf16 do not go on with those in fp32, nor the other way round.</summary>
    [TestCase(DType.Float32, DType.BFloat16)]
    [TestCase(DType.BFloat16, DType.Float32)]
    public async Task A_run_goes_on_in_the_arithmetic_that_it_was_begun_in(DType begun, DType resumed)
    {
        var folder = TestFiles.NewFolder();
        using (var backend = new CpuBackend(1, begun))
        {
            using var session = Open(backend, "greedy");
            await EvaluationRun.RunAsync(Plan(session, "greedy", folder));
        }

        using var other = new CpuBackend(1, resumed);
        using var again = Open(other, "greedy");
        Assert.That(
            async () => await EvaluationRun.RunAsync(Plan(again, "greedy", folder) with { Resume = true }),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("arithmetic"));
    }

    [Test]
    public void Settings_that_came_later_are_written_where_they_act()
    {
        Assert.That(
            JsonSerializer.Serialize(DecodingConfig.Greedy(7), EvaluationJson.Line),
            Is.EqualTo("""
                {"profile":"greedy","max_new_tokens":7,"beams":1,"temperature":0,"top_p":1,"top_k":0,"seed":0}
                """));
        var settings = DecodingConfig.Greedy(7) with { MinP = 0.1, RepetitionPenalty = 1.2, TypicalP = 0.9 };
        var text = JsonSerializer.Serialize(settings, EvaluationJson.Line);
        Assert.That(text, Does.Contain("\"min_p\":0.1").And.Contain("\"repetition_penalty\":1.2"));
        Assert.That(JsonSerializer.Deserialize<DecodingConfig>(text, EvaluationJson.Line), Is.EqualTo(settings));
    }

    private static LlamaSession Open(IBackend backend, string name) => LlamaSession.Open(backend, Model, new()
    {
        Template = PromptTemplate.Load(name == "greedy" ? Path.Combine(Model, "template.json") : "alpaca_short"),
    });

    private static EvaluationPlan Plan(LlamaSession session, string name, string folder)
    {
        var suite = SuiteRegistry.Open(
            "tiny=" + Path.Combine(TestFiles.Root, "tests", "fixtures", "runs", "tiny-suite.jsonl"));
        var settings = name == "greedy" ? DecodingConfig.Greedy(8) : Sampling;
        return new(folder, [suite], [new RefusalMatcher()])
        {
            Responder = new EngineResponder(session, settings),
            Facts = session.Identity.Facts,
            Samples = name == "greedy" ? 1 : 2,
            Seed = 1,
        };
    }

    /// <summary>Judges and versions come and go; the rest is what a run is.</summary>
    private static string Written(RunManifest manifest) =>
        JsonSerializer.Serialize(manifest with { Judges = [], Version = "" }, EvaluationJson.Document);
}
