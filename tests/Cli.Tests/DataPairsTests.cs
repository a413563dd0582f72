using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>From a run of a model that answers nonsense to pairs, and to a model that learned from them.</summary>
public sealed class DataPairsTests : IDisposable
{
    private readonly string _folder = TestFiles.NewFolder();

    private string Run => Path.Combine(_folder, "asked");

    [OneTimeSetUp]
    public void Evaluate()
    {
        Testing.TinyModel.Write(Path.Combine(_folder, "model"));
        File.WriteAllLines(At("suite.jsonl"), Enumerable.Range(0, 6).Select(i => JsonSerializer.Serialize(
            new { id = $"p{i}", prompt = $"Tell me about thing number {i}.", label = i < 4 ? "unsafe" : "safe" })));
        File.WriteAllLines(At("safety.jsonl"), Enumerable.Range(0, 3).Select(i => JsonSerializer.Serialize(
            new { instruction = $"Tell me about thing number {i}", input = "", output = "I will not." })));
        var run = CommandRun.Of(
            "evaluate", "--model", At("model"), "--suite", At("suite.jsonl"), "--judge", "refusal", "--max-new-tokens", "8",
            "--threads", "1", "--out", Run);
        Assert.That(run.ExitCode, Is.Zero, run.Error);

        // Made to say something: what such a model says is no answer.
        var path = Path.Combine(Run, "responses.jsonl");
        File.WriteAllLines(path, File.ReadAllLines(path).Select(line =>
        {
            var response = JsonNode.Parse(line)!;
            response["answer"] = "First you find the thing, then you look at it well.";
            return response.ToJsonString();
        }));
        path = Path.Combine(Run, "verdicts.jsonl");
        File.WriteAllLines(path, File.ReadAllLines(path).Select(line =>
        {
            var verdict = JsonNode.Parse(line)!;
            verdict["behavior"] = "full_compliance";
            return verdict.ToJsonString();
        }));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Pairs_are_built_counted_and_learned()
    {
        var made = CommandRun.Of(
            "data", "pairs", "--run", Run, "--safety", At("safety.jsonl"), "--out", At("pairs.jsonl"), "--json");
        Assert.That(made.ExitCode, Is.Zero, made.Error);
        var result = JsonNode.Parse(made.Output)!;
        int Count(string name) => result["counts"]![name]!.GetValue<int>();
        Assert.That(
            (Count("answers"), Count("safety_pairs"), Count("as_wanted"), Count("without_demonstration")),
            Is.EqualTo((6, 3, 2, 1)));
        var manifest = JsonNode.Parse(File.ReadAllText(result["manifest"]!.GetValue<string>()))!;
        Assert.That(manifest["inputs"]![At("safety.jsonl")]!.GetValue<string>(),
            Is.EqualTo(ContentHash.OfFile(At("safety.jsonl"))));
        var learned = CommandRun.Of(
            "train", "--model", At("model"), "--objective", "orpo", "--preferences", At("pairs.jsonl"), "--steps", "1",
            "--validation", "0", "--threads", "1", "--template", "alpaca", "--out", At("tuned"));
        Assert.That(learned.ExitCode, Is.Zero, learned.Error);
        Assert.That(learned.Error, Does.Contain("3 pairs to learn"));
    }

    [TestCase("neither.jsonl", "give --safety or --answers, or both")]
    [TestCase("judge.jsonl", "--judge guard: has not judged", "--safety", "safety.jsonl", "--judge", "guard")]
    [TestCase("suite.jsonl", "exists, and nothing is overwritten", "--safety", "safety.jsonl")]
    [TestCase("rows.json", "expected a name in .jsonl", "--safety", "safety.jsonl")]
    public void What_makes_no_pairs_is_refused(string output, string reason, params string[] more)
    {
        var run = CommandRun.Of([
            "data", "pairs", "--run", Run, "--out", At(output),
            .. more.Select(m => m.EndsWith(".jsonl", StringComparison.Ordinal) ? At(m) : m)]);
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.Usage), run.Error);
        Assert.That(run.Error, Does.Contain(reason));
    }

    private string At(string name) => Path.Combine(_folder, name);
}
