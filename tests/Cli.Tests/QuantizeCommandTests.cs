using System.Text.Json.Nodes;
using SafeLlama.Common;

namespace SafeLlama.Cli.Tests;

/// <summary>Quantized models from the command line: written, scored, learned over, merged.</summary>
[NonParallelizable]
public sealed class QuantizeCommandTests : IDisposable
{
    private TinyModel _model = null!;

    [OneTimeSetUp]
    public void Train()
    {
        _model = new TinyModel();
        Assert.That(_model.Train().ExitCode, Is.Zero);
    }

    public void Dispose() => _model.Dispose();

    [TestCase("nf4", "--nested")]
    [TestCase("int8")]
    public void A_quantized_model_scores_as_the_one_that_is_quantized_as_it_is_read(params string[] form)
    {
        var folder = _model.Out("stored-" + form[0]);
        var made = CommandRun.Of(["quantize", "--model", _model.Model, "--to", .. form, "--out", folder]);
        Assert.That(made.ExitCode, Is.Zero, made.Error);
        Assert.That(made.Output, Does.Contain($"14 linears in {form[0]}"));
        Assert.That(File.Exists(Path.Combine(folder, "tokenizer.model")), "the tokenizer goes along");
        var stored = Score(folder);
        Assert.That(stored, Is.EqualTo(Score(_model.Model, ["--load", .. form])));
        Assert.That(stored, Is.Not.EqualTo(Score(_model.Model)), "quantizing costs something");
    }

    [Test]
    public void An_adapter_is_learned_over_a_quantized_base_resumed_and_merged_into_decoded_weights()
    {
        string[] load = ["--load", "nf4", "--nested", "true"];
        var run = CommandRun.Of(_model.FineTune("tuned-nf4", load));
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        var settings = JsonNode.Parse(File.ReadAllText(Path.Combine(_model.Out("tuned-nf4"), "run.json")))!["settings"]!;
        Assert.That(settings["load"]!["value"]!.GetValue<string>(), Is.EqualTo("nf4"));
        var other = CommandRun.Of(_model.FineTune("tuned-nf4", "--load", "int8", "--resume"));
        Assert.That(other.ExitCode, Is.EqualTo((int)ExitCode.Usage));
        Assert.That(other.Error, Does.Contain("--load int8").And.Contain("nf4"));

        string[] merge =
        [
            "merge", "--model", _model.Model, "--adapter", Path.Combine(_model.Out("tuned-nf4"), "adapter"),
            "--load", "nf4", "--nested",
        ];
        var merged = CommandRun.Of([.. merge, "--out", _model.Out("merged-nf4")]);
        Assert.That(merged.ExitCode, Is.Zero, merged.Error);
        Assert.That(merged.Output, Does.Contain("layer 0: quantizing the merged weights once more would err by"));
        var refused = CommandRun.Of([.. merge, "--type", "stored", "--out", _model.Out("stays-nf4")]);
        Assert.That(refused.ExitCode, Is.EqualTo((int)ExitCode.Usage));
        Assert.That(refused.Error, Does.Contain("--type stored").And.Contain("stay quantized"));
    }

    /// <summary>The device is the compute type: told before a run, kept, and held against what a checkpoint says.
    /// </summary>
    [TestCase("cpu", "float32")]
    [TestCase("cpu:bf16", "bfloat16")]
    public void The_type_that_is_computed_in_is_told(string device, string type)
    {
        var name = "computed-" + type;
        var run = CommandRun.Of(_model.FineTune(name, "--load", "nf4", "--device", device));
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Error, Does.Contain($"The base is nf4, its products computed in {type}"));
        var kept = JsonNode.Parse(File.ReadAllText(Path.Combine(_model.Out(name), "run.json")))!["plan"]!["base"]!;
        Assert.That((string?)kept["form"], Is.EqualTo("nf4"));
        Assert.That((string?)kept["compute_type"], Is.EqualTo(type));

        var stored = _model.Out("made-for-" + type);
        Assert.That(CommandRun.Of("quantize", "--model", _model.Model, "--to", "nf4", "--out", stored).ExitCode, Is.Zero);
        var config = Path.Combine(stored, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace(
            "\"bnb_4bit_compute_dtype\": \"float32\"", "\"bnb_4bit_compute_dtype\": \"bfloat16\""));
        var plan = CommandRun.Of(
            "train", "--model", stored, "--data", _model.Rows, "--steps", "2", "--dry-run", "--device", device);
        Assert.That(plan.ExitCode, Is.Zero, plan.Error);
        Assert.That(plan.Output, Does.Contain($"computed in {type}"));
        Assert.That(plan.Output.Contains("made to be computed in bfloat16"), Is.EqualTo(type != "bfloat16"));
        var score = CommandRun.Of("score", "--model", stored, "--text", "The bird", "--device", device);
        Assert.That(score.ExitCode, Is.Zero, score.Error);
        Assert.That(
            score.Error.Contains("\"bnb_4bit_compute_dtype\" is bfloat16; --device"),
            Is.EqualTo(type != "bfloat16"), score.Error);
    }

    [TestCase("--nested", "--nested", "nf4")]
    [TestCase("--load int8 --nested", "--nested", "nf4")]
    public void A_form_that_is_none_is_refused(string options, params string[] expected)
    {
        var run = CommandRun.Of(
            ["score", "--model", _model.Model, "--text", "The bird", .. options.Split(' ')]);
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.Usage));
        Assert.That(expected.All(text => run.Error.Contains(text, StringComparison.Ordinal)), run.Error);
    }

    private static string Score(string model, params string[] more)
    {
        var run = CommandRun.Of(["score", "--model", model, "--text", "The 3th bird sat in tree 3.", "--json", .. more]);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        return run.Output;
    }
}
