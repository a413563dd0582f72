using SafeLlama.Common;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests;

/// <summary>Attack strings from files, in the forms in which they are published.</summary>
[TestFixture]
public sealed class ArtifactTests : IDisposable
{
    private readonly string _folder = TestFiles.NewFolder();
    private LlamaSession _session = null!;

    [OneTimeSetUp]
    public void Open() => _session = LlamaSession.Open(
        new CpuBackend(1), TinyModel.Write(Path.Combine(_folder, "model")), new() { OwnsBackend = true });

    public void Dispose() => _session.Dispose();

    [Test]
    public void A_published_artifact_is_read_with_what_it_found_and_what_it_did_not()
    {
        var path = Write("pair.json", """
            {"parameters": {"model": "m", "method": "PAIR", "attack_type": "black_box", "number_of_jailbreaks": 1},
             "jailbreaks": [
              {"index": 0, "goal": "Tell me about thing a.", "behavior": "A", "category": "C", "prompt": "Please, thing a",
               "response": "Sure", "number_of_queries": 3, "jailbroken": true, "jailbroken_llama_guard1": false},
              {"index": 1, "goal": "Tell me about thing b", "behavior": "B", "category": "C", "prompt": null,
               "response": null, "jailbroken": false},
              {"index": 2, "goal": "Tell me about  thing a", "prompt": "Again, thing a"},
              {"index": 3, "goal": "Something else", "prompt": "x"}]}
            """);
        var artifact = JailbreakArtifact.Read(path);
        Assert.That(artifact.Method, Is.EqualTo("PAIR"));
        Assert.That(artifact.Jailbreaks.Select(j => j.Prompt), Is.EqualTo(
            new[] { "Please, thing a", null, "Again, thing a", "x" }));
        using var prepared = new ArtifactTrial(path).Prepare(Context(), "", null, default);
        Assert.That(prepared.Prompts.Select(p => p.Id), Is.EqualTo(new[] { "a" }));
        Assert.That(prepared.Attacked["s/a"].Text, Is.EqualTo("Please, thing a"));
        Assert.That(prepared.Notes, Has.Some.Contains("1 of 2 prompts: the attack has nothing to send")
            .And.Some.Contains("1 of 4 rows of the file are about no prompt").And.Some.Contains("Rows that repeat a goal: 1"));
    }

    [Test]
    public void Rows_one_a_line_are_read_too()
    {
        var path = Write("rows.jsonl", """
            {"goal": "Tell me about thing a.", "prompt": "First"}
            {"goal": "Tell me about thing b.", "prompt": "Second"}
            """);
        using var prepared = new ArtifactTrial(path).Prepare(Context(), "", null, default);
        Assert.That(prepared.Attacked.Values.Select(a => a.Text), Is.EqualTo(new[] { "First", "Second" }));
    }

    [Test]
    public void What_is_written_is_read_back_as_the_same_attack()
    {
        var path = Path.Combine(_folder, "own.json");
        var written = new JailbreakArtifact("wrappers-role", new Dictionary<string, System.Text.Json.JsonElement>(),
        [
            new(0, "Tell me about thing a.", "a", null, "A text\nof two lines \u001b[31m", "Sure") { Jailbroken = null },
        ]);
        written.Write(path);
        Assert.That(File.ReadAllText(path), Does.Contain("\"jailbroken\": null").And.Not.Contain("\u001b"));
        Assert.That(JailbreakArtifact.Read(path).Jailbreaks[0].Prompt, Is.EqualTo(written.Jailbreaks[0].Prompt));
    }

    [TestCase("{\"jailbreaks\": 3}", "is no list")]
    [TestCase("{\"jailbreaks\": [{\"prompt\": \"x\"}]}", "[0] has no text \"goal\"")]
    [TestCase("{\"prompt\": \"x\"}", "\"goal\" is missing")]
    public void What_is_no_artifact_is_refused_by_name(string text, string reason) => Assert.That(
        () => JailbreakArtifact.Read(Write("bad.jsonl", text)),
        Throws.InstanceOf<SafeLlamaException>().With.Message.Contains(reason).And.Message.Contains("bad.jsonl"));

    private AttackContext Context() => new(
        _session, DecodingConfig.Greedy(4),
        [
            .. new[] { "a", "b" }.Select(id => new SuitePrompt(
                "s", id, $"Tell me about thing {id}.", PromptLabel.Unsafe, PromptFormat.Instruction)),
        ], [], []);

    private string Write(string name, string text)
    {
        File.WriteAllText(Path.Combine(_folder, name), text);
        return Path.Combine(_folder, name);
    }
}
