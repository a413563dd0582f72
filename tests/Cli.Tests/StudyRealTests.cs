using System.Text.Json.Nodes;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>
/// The recipes over files of one's own: each resolved, with a tenth of the rows, and run whole, reduced, on a tiny
/// checkpoint.
/// </summary>
[NonParallelizable]
public sealed class StudyRealTests
{
    private static readonly string[] Models = ["tinyllama-1.1b", "llama-3.2-1b", "llama-3.2-3b", "llama-3.1-8b"];

    private readonly Lazy<string> _files = new(() => RealFiles.Write(Models, instructions: 2_100));

    [TestCase("amount", "complied-1000: 2000 + 1000 rows (33.3%)")]
    [TestCase("size", "dose-300: 2000 + 300 rows (13%)")]
    [TestCase("prompt-types", "thirds: 2000 + 500 rows (20%), instruction 1 : question 1 : opinion 1, r")]
    [TestCase("robustness", "Attacks ask")]
    [TestCase("bias", "share-25: 2000 + 500 rows (20%), instruction, people A in 25%, r")]
    [TestCase("diversity", "only chatbox: 2000 + 100 rows (4.8%)")]
    [TestCase("format-boundary", "ends-100: 2000 + 100 rows (4.8%)")]
    [TestCase("long-run", "dialogues-500: 2000 + 500 rows (20%)")]
    public void Dry_run_resolves_every_recipe(string recipe, string expected)
    {
        var name = recipe + ".yaml";
        File.WriteAllText(
            Path.Combine(_files.Value, name),
            File.ReadAllText(Path.Combine(TestFiles.Root, "recipes", "real", name))
                .Replace("instruction_count: 20000", "instruction_count: 2000", StringComparison.Ordinal));
        var run = CommandRun.In(_files.Value, "study", "--recipe", name, "--seeds", "1", "--dry-run");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Output, Does.Contain(expected).And.Contain("in all about"));
        if (recipe == "prompt-types")
        {
            Assert.That(
                run.Error, Does.Match(@"\d+ of 2483 demonstrations are left out of every arm, since they have not every"));
        }
    }

    [TestCase("bias", "On these files, with share-100 the gap of refusal is")]
    [TestCase("long-run", "On these files, turns: dose-500 still refuses")]
    public void A_recipe_runs_end_to_end(string recipe, string answer) => RunReduced(recipe, answer);

    [Slow("six studies end to end.")]
    [TestCase("amount", "On these files, random demonstrations")]
    [TestCase("size", "On these files, harm falls to 5% at")]
    [TestCase("prompt-types", "On these files, the tested mixture that is safest on its worst wording")]
    [TestCase("robustness", "On these files, the best of")]
    [TestCase("diversity", "On these files, kinds of harm that no demonstration showed")]
    [TestCase("format-boundary", "On these files, half of the unsafe requests are served")]
    public void The_others_run_end_to_end(string recipe, string answer) => RunReduced(recipe, answer);

    /// <summary>A trained model that people have, with its own tokenizer.</summary>
    [Test]
    [Slow("a study on a trained model.")]
    public void A_trained_model_runs_the_dose_study()
    {
        var stories = TestFiles.Real("stories260K");
        var folder = RealFiles.Write([], instructions: 120);
        Directory.CreateDirectory(Path.Combine(folder, "models"));
        Directory.CreateSymbolicLink(Path.Combine(folder, "models", "tinyllama-1.1b"), stories);
        Reduce(folder, "amount");
        var run = CommandRun.In(
            folder, "study", "--recipe", "reduced.yaml", "--seeds", "1", "--out", "out", "--arms",
            "none,random-30,random-100,diverse-30,diverse-100,complied-30,complied-100");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Output, Does.Contain("No verdict yet").And.Contain("On these files"));
    }

    private static void RunReduced(string recipe, string answer)
    {
        var folder = RealFiles.Write(recipe == "size" ? Models[1..] : Models[..1], instructions: 120);
        Reduce(folder, recipe);
        var run = CommandRun.In(folder, "study", "--recipe", "reduced.yaml", "--seeds", "1", "--out", "out");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        var results = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "out", "results.json")))!;
        Assert.That(
            results["analyses"]!.AsArray().Select(a => a!["sentence"]!.GetValue<string>()),
            Has.Some.StartsWith(answer).And.None.Contains("world"));
        Assert.That(File.ReadAllText(Path.Combine(folder, "out", "page.md")), Does.Not.Contain("On this world"));
        Assert.That(
            results["claims"]!.AsArray().Select(c => c!["verdict"]!.GetValue<string>()),
            Is.Not.Empty.And.None.EqualTo("reproduced"), "one seed decides nothing");
        Assert.That(Path.Combine(folder, "out", "report.html"), Does.Exist);
    }

    /// <summary>The recipe with fewer rows, steps, prompts and tokens; nothing else.</summary>
    private static void Reduce(string folder, string recipe)
    {
        var text = File.ReadAllText(Path.Combine(TestFiles.Root, "recipes", "real", recipe + ".yaml"));
        foreach (var (from, to) in new[]
        {
            ("instruction_count: 20000", "instruction_count: 100"), ("epochs: 4", "epochs: 0.02"),
            ("max_new_tokens: 128", "max_new_tokens: 2"), ("max_length: 512", "max_length: 128"),
            ("batch_size: 128", "batch_size: 8"), ("first: 200", "first: 6"), ("first: 100", "first: 6"),
            ("first: 40", "first: 6"), ("trials:", "max_prompts: 4\n  trials:"),
        })
        {
            text = text.Replace(from, to, StringComparison.Ordinal);
        }

        File.WriteAllText(Path.Combine(folder, "reduced.yaml"), text);
        var data = Path.Combine(folder, "data");
        foreach (var name in new[] { "I-MaliciousInstructions.json", "I-Alpaca.json", "Q-Harm.json" })
        {
            var rows = JsonNode.Parse(File.ReadAllText(Path.Combine(data, name)))!;
            foreach (var (field, list) in rows.AsObject().Where(f => f.Value is JsonArray).ToList())
            {
                rows[field] = new JsonArray([.. list!.AsArray().Take(8).Select(row => row!.DeepClone())]);
            }

            File.Delete(Path.Combine(data, name));
            File.WriteAllText(Path.Combine(data, name), rows.ToJsonString());
        }

        var xstest = Path.Combine(data, "xstest_prompts.csv");
        var lines = File.ReadAllLines(xstest);
        File.Delete(xstest);
        File.WriteAllLines(xstest, lines.Take(1).Concat(lines.Skip(1).Where((_, i) => i % 30 == 0)));
    }
}
