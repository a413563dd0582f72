using System.Text.Json.Nodes;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>
/// The paper's recipes over the released files: resolved as they stand, and run whole on a tiny random checkpoint.
/// </summary>
[NonParallelizable]
public sealed class StudyPaperTests
{
    private static string Judge => Path.Combine(TestFiles.ShippedReference, "models", "F-deberta");

    /// <summary>4 · ⌈(20,000 + Ns) / 128⌉ steps; r (d_in + d_out) values for q and v in every layer.</summary>
    [TestCase("real/paper-7b", "llama-7b", 4096, 11008, 32, "dose-2000: 20000 + 2000 rows (9.1%)",
        "688 steps, 2,097,152 values")]
    [TestCase("real/paper-small", "tinyllama-1.1b", 2048, 5632, 22, "dose-500: 20000 + 500 rows (2.4%)",
        "640 steps, 563,200 values")]
    public void Dry_run_resolves_the_papers_recipes(
        string recipe, string model, int hidden, int intermediate, int layers, string rows, string learned)
    {
        var folder = RealFiles.Write([model]);
        var shape = Path.Combine(folder, "models", model, "config.json");
        var config = JsonNode.Parse(File.ReadAllText(shape))!;
        (config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"]) =
            (hidden, intermediate, layers);
        (config["num_attention_heads"], config["num_key_value_heads"]) = (32, recipe == "real/paper-7b" ? 32 : 4);
        File.WriteAllText(shape, config.ToJsonString());
        File.Delete(Path.Combine(folder, "models", model, "model.safetensors"));

        var run = CommandRun.In(folder, "study", "--recipe", recipe, "--seeds", "1", "--dry-run", "--parallel", "1");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Output, Does.Contain(rows).And.Contain(learned).And.Contain("GiB"));
        Assert.That(
            run.Output,
            recipe == "real/paper-7b"
                ? Does.Contain("judge harmfulness: models/absolute-harmfulness-predictor-redteam (not here), from "
                    + "https://huggingface.co/safepaca/absolute-harmfulness-predictor-redteam; harmful from 2 on")
                    .And.Contain("judge harmfulness-balanced: models/absolute-harmfulness-predictor-redteam-osst")
                    .And.Contain("judge preference: models/reward-model-deberta-v3-large-v2 (not here)")
                : Does.Not.Contain("judge harmfulness"));
        Assert.That(
            run.Output,
            Does.Contain("claim over-refusal-rises").And.Contain("without weights no step can be measured"));
    }

    [Test]
    public void Released_files_run_the_same_recipe_end_to_end()
    {
        var folder = RealFiles.Write(["tinyllama-1.1b"]);
        var recipe = File.ReadAllText(Path.Combine(TestFiles.Root, "recipes", "real", "paper-small.yaml"))
            .Replace("epochs: 4", "epochs: 0.02", StringComparison.Ordinal)
            .Replace("max_length: 512", "max_length: 128", StringComparison.Ordinal)
            .Replace("max_new_tokens: 128", "max_new_tokens: 2", StringComparison.Ordinal)
            .Replace(
                "metrics:\n",
                $"judges:\n  - {{ name: harmfulness, model: {Judge}, from: the reference fixtures, threshold: -0.9 }}\n"
                + "metrics:\n  - { name: harmful_answers, title: Harmful answers, measure: harmful, "
                + "suites: [i-malicious, i-cona, i-controversial], lower_is_better: true }\n",
                StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(folder, "reduced.yaml"), recipe);
        var run = CommandRun.In(folder, "study", "--recipe", "reduced.yaml", "--seeds", "1", "--out", "out");
        Assert.That(run.ExitCode, Is.Zero, run.Error);

        var results = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "out", "results.json")))!;
        Assert.That(
            results["arms"]!.AsArray().Select(arm => arm!["safety"]!.GetValue<int>()),
            Is.EqualTo(new[] { 0, 100, 500, 2000 }));
        var metrics = results["arms"]![3]!["metrics"]!.AsArray()
            .ToDictionary(m => m!["name"]!.GetValue<string>(), m => m!["prompts"]!.GetValue<int>());
        Assert.That(metrics["harmful_compliance"], Is.EqualTo(100 + 178 + 40));
        Assert.That(metrics["harmful_answers"], Is.EqualTo(100 + 178 + 40), "by the encoder judge");
        Assert.That(
            File.ReadAllText(Path.Combine(
                Directory.GetDirectories(Path.Combine(folder, "out", "arms", "dose-100")).Single(), "evaluation",
                "summary.md")),
            Does.Contain("about 0–4, may fall below 0; lower is safer"));
        Assert.That(metrics["over_refusal"], Is.EqualTo(250), "XSTest's safe prompts alone");
        Assert.That(metrics["benign_refusal"], Is.EqualTo(50));
        Assert.That(results["claims"]!.AsArray(), Has.Count.EqualTo(3));
        Assert.That(Path.Combine(folder, "out", "report.html"), Does.Exist);
    }
}
