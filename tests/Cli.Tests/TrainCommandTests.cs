using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Cli.Tests;

public sealed class TrainCommandTests : IDisposable
{
    private TinyModel _model = null!;

    [OneTimeSetUp]
    public void TrainBase()
    {
        _model = new TinyModel();
        var run = _model.Train();
        Assert.That(run.ExitCode, Is.Zero, run.Error);
    }

    public void Dispose() => _model.Dispose();

    [Test]
    public void A_micro_batch_that_nobody_asked_for_fits_the_batch()
    {
        string[] plan = ["train", "--model", _model.Model, "--data", _model.Rows, "--dry-run", "--batch-size"];
        var run = CommandRun.Of([.. plan, "6"]);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Output, Does.Match(@"(?m)^micro-batch +3 +default$").And.Contain("Micro-batches of 3 rows"));
        Assert.That(CommandRun.Of([.. plan, "6", "--micro-batch", "4"]).ExitCode, Is.EqualTo((int)ExitCode.Usage));
        Assert.That(CommandRun.Of([.. plan, "8"]).Output, Does.Not.Contain("Micro-batches of"));
    }

    [Test]
    public void Safety_rows_alone_are_all_mixed_in_and_shares_may_be_percentages()
    {
        string[] plan = ["train", "--model", _model.Model, "--data", _model.Rows, "--safety", _model.Safety, "--dry-run"];
        Assert.That(CommandRun.Of(plan).Output, Does.Contain("24 base rows and 8 safety rows"));
        Assert.That(CommandRun.Of([.. plan, "--safety-share", "20%"]).Output, Is.EqualTo(
            CommandRun.Of([.. plan, "--safety-share", "0.2"]).Output.Replace("0.2  ", "20%  ")));
    }

    [Test]
    public void A_run_that_does_not_help_says_so_and_its_folder_names_its_adapter()
    {
        var worse = CommandRun.Of(
            "train", "--model", _model.Model, "--data", _model.Rows, "--steps", "4", "--batch-size", "8", "--max-length",
            "96", "--validation", "4", "--learning-rate", "50", "--targets", "all", "--schedule", "constant",
            "--warmup-steps", "0", "--threads", "1", "--out", _model.Out("worse"));
        Assert.That(worse.ExitCode, Is.Zero, worse.Error);
        Assert.That(worse.Error, Does.Match(@"(?m)^before the first step: validation loss \d"));
        Assert.That(worse.Error, Does.Match(@"Warning: this run did not help: validation loss [\d.]+ before it, "));
        Assert.That(worse.Error, Does.Contain("Warning: 4 optimizer steps are few: more epochs"));
        string[] ask = ["score", "--model", _model.Model, "--text", "The bird", "--threads", "1", "--adapter"];
        Assert.That(CommandRun.Of([.. ask, _model.Out("worse")]).Output,
            Is.EqualTo(CommandRun.Of([.. ask, Path.Combine(_model.Out("worse"), "adapter")]).Output).And.Not.Empty);
    }

    [Test]
    public void A_model_trained_from_scratch_is_a_hugging_face_folder()
    {
        var config = LlamaConfig.Load(_model.Model);
        using var backend = new CpuBackend(1);
        using var weights = LlamaWeights.Load(backend, config, _model.Model);
        Assert.That(weights.Ignored, Is.Empty);
        Assert.That(TokenizerLoader.Load(_model.Model).Hash, Is.EqualTo(TokenizerLoader.Load(_model.Tokenizer).Hash));
    }

    [Test]
    public void A_fine_tune_leaves_a_peft_adapter_and_its_papers()
    {
        var run = CommandRun.Of(_model.FineTune("papers", "--json"));
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        var result = JsonNode.Parse(run.Output)!;
        Assert.That(result["steps"]!.GetValue<int>(), Is.EqualTo(8));
        using var backend = new CpuBackend(1);
        using var adapter = PeftFolder.Load(
            backend, LlamaConfig.Load(_model.Model), result["saved"]!.GetValue<string>());
        Assert.That(adapter.ChangesNothing, Is.False);
        var papers = JsonNode.Parse(File.ReadAllText(Path.Combine(_model.Out("papers"), "run.json")))!;
        Assert.That(papers["settings"]!["rank"]!.ToJsonString(), Is.EqualTo("""{"value":"8","source":"default"}"""));
        Assert.That(papers["inputs"]![_model.Rows]!.GetValue<string>(), Is.EqualTo(ContentHash.OfFile(_model.Rows)));
        Assert.That(run.Error, Does.Contain("24 base rows and 6 safety rows: safety share 20.00%"));
        Assert.That(run.Error.Split('\n')
            .Count(line => line.StartsWith("step 8: validation loss", StringComparison.Ordinal)), Is.EqualTo(1));
    }

    /// <summary>DoRA, merged, scores as beside its base; exported, it is folded in.</summary>
    [Test]
    public void A_DoRA_run_is_resumed_merged_and_exported()
    {
        var run = CommandRun.Of(_model.FineTune("dora", "--variant", "dora", "--lora-plus-ratio", "4"));
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        var papers = JsonNode.Parse(File.ReadAllText(Path.Combine(_model.Out("dora"), "run.json")))!;
        Assert.That(
            papers["settings"]!["variant"]!.ToJsonString(), Is.EqualTo("""{"value":"dora","source":"--variant"}"""));
        var refused = CommandRun.Of("train", "--resume", "--out", _model.Out("dora"), "--variant", "pissa");
        Assert.That(refused.ExitCode, Is.EqualTo((int)ExitCode.Usage));
        Assert.That(refused.Error, Does.Contain("--variant pissa: the run in").And.Contain("began with 'dora'"));

        var (adapter, merged) = (Path.Combine(_model.Out("dora"), "adapter"), _model.Out("dora-merged"));
        var merge = CommandRun.Of("merge", "--model", _model.Model, "--adapter", adapter, "--out", merged);
        Assert.That(merge.ExitCode, Is.Zero, merge.Error);
        string[] text = ["--text", "the fox is red", "--threads", "1", "--json"];
        double Score(params string[] of)
        {
            var scored = CommandRun.Of(["score", .. of, .. text]);
            Assert.That(scored.ExitCode, Is.Zero, scored.Error);
            return JsonNode.Parse(scored.Output)!["sum"]!.GetValue<double>();
        }

        // fp32 twice, in other sums.
        Assert.That(
            Score("--model", merged),
            Is.EqualTo(Score("--model", _model.Model, "--adapter", adapter)).Within(1e-4));
        var alone = CommandRun.Of(
            "export", "--model", _model.Model, "--adapter", adapter, "--adapter-only", "--to", "gguf", "--out",
            _model.Out("dora.gguf"));
        Assert.That(alone.ExitCode, Is.EqualTo((int)ExitCode.Usage));
        Assert.That(alone.Error, Does.Contain("DoRA").And.Contain("magnitudes").And.Contain("folded in"));
        var ollama = CommandRun.Of(
            "export", "--model", _model.Model, "--adapter", adapter, "--to", "ollama", "--out", _model.Out("ollama"));
        Assert.That(ollama.ExitCode, Is.Zero, ollama.Error);
        Assert.That(ollama.Error, Does.Contain("DoRA").And.Contain("folded into"));
        Assert.That(File.Exists(Path.Combine(_model.Out("ollama"), "adapter.gguf")), Is.False);
        Assert.That(
            File.ReadAllText(Path.Combine(_model.Out("ollama"), "Modelfile")), Does.Not.Contain("ADAPTER"));
    }

    [Test]
    public void A_dry_run_advises_in_flags_and_a_setting_without_effect_is_refused()
    {
        var run = CommandRun.Of(_model.FineTune("advised", "--dry-run"));
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Output, Does.Contain("advice: rank 8:").And.Contain("advice: --recompute block:")
            .And.Contain("advice: --load nf4:").And.Not.Contain('`'));
        var refused = CommandRun.Of(_model.FineTune("dropped", "--variant", "pissa", "--dropout", "0.1"));
        Assert.That(refused.Error, Does.Contain("--dropout would have no effect: PiSSA"));
    }

    [Test]
    public void A_profiled_run_shows_its_ops_and_learns_the_same()
    {
        var plain = CommandRun.Of(_model.FineTune("plain"));
        Assert.That(plain.ExitCode, Is.Zero);
        Assert.That(plain.Error, Does.Contain("8 optimizer steps are few, and the first has a learning rate of 0"));
        var run = CommandRun.Of(_model.FineTune("profiled", "--profile-steps", "2"));
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Error, Does.Contain("Linear forward").And.Contain("outside ops").And.Contain("of limit"));
        Assert.That(_model.AdapterOf("profiled"), Is.EqualTo(_model.AdapterOf("plain")));
        var refused = CommandRun.Of(_model.FineTune("short", "--profile-steps", "20"));
        Assert.That(refused.ExitCode, Is.EqualTo((int)ExitCode.Usage));
        Assert.That(refused.Error, Does.Contain("--profile-steps 20: needs a run of 23 steps"));
    }

    [Test]
    public void A_fine_tune_can_start_from_an_adapter()
    {
        Assert.That(CommandRun.Of(_model.FineTune("first")).ExitCode, Is.Zero);
        var more = CommandRun.Of(_model.FineTune("second", "--adapter", Path.Combine(_model.Out("first"), "adapter")));
        Assert.That(more.ExitCode, Is.Zero, more.Error);
        Assert.That(_model.AdapterOf("second"), Is.Not.EqualTo(_model.AdapterOf("first")));
        var both = CommandRun.Of(
            _model.FineTune("third", "--adapter", Path.Combine(_model.Out("first"), "adapter"), "--rank", "2"));
        Assert.That(both.Error, Does.Contain("--rank would have no effect"));
    }

    [Test]
    public void All_weights_of_a_model_can_learn()
    {
        var run = CommandRun.Of(_model.FineTune("full", "--full", "--dtype", "bf16"));
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        using var file = SafetensorsFile.Open(Path.Combine(_model.Out("full"), "model", "model.safetensors"));
        Assert.That(file.Entries.Values.Select(e => e.Type), Is.All.EqualTo("BF16"));
    }

    [Test]
    public void A_dry_run_shows_every_value_with_its_source_and_writes_nothing()
    {
        var recipe = Path.Combine(_model.Folder, "recipe.yaml");
        File.WriteAllText(recipe, "# a comment\nrank: 3\ntargets: [q_proj, k_proj]\nepochs: 2\n");
        var run = CommandRun.Of(
            "train", "--model", _model.Model, "--data", _model.Rows, "--recipe", recipe, "--profile", "paper",
                "--alpha", "7", "--validation", "4",
            "--batch-size", "8", "--warmup-steps", "1", "--max-length", "128", "--dry-run", "--out", _model.Out("dry"));
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(Directory.Exists(_model.Out("dry")), Is.False);
        Assert.That(run.Output, Does.Match(@"(?m)^rank +3 +recipe\.yaml:2$"));
        Assert.That(run.Output, Does.Match(@"(?m)^targets +q_proj,k_proj +recipe\.yaml:3$"));
        Assert.That(run.Output, Does.Match(@"(?m)^alpha +7 +--alpha$"));
        Assert.That(run.Output, Does.Match(@"(?m)^learning-rate +1e-4 +profile paper$"));
        Assert.That(run.Output, Does.Match(@"(?m)^schedule +linear +profile paper$"));
        Assert.That(run.Output, Does.Match(@"(?m)^seed +1 +default$"));

        // 20 rows are left of 24: 3 steps of 8 an epoch, two epochs; 2 linears × 2 layers × 3 · (16 + 16) values.
        Assert.That(run.Output, Does.Contain("6 steps, 1 of them warm-up").And.Contain("384 of ")
            .And.Contain("q_proj × 2, k_proj × 2"));
    }

    [Test]
    public void A_profile_that_does_not_fit_small_data_is_named()
    {
        var run = CommandRun.Of(
            "train", "--model", _model.Model, "--data", _model.Rows, "--profile", "paper", "--validation", "4",
            "--epochs", "2", "--batch-size", "20", "--max-length", "128", "--out", _model.Out("profiled-paper"));
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.Usage));
        Assert.That(run.Error.Split('\n')[^1], Does.Contain("--warmup-steps 10: expected 0 to")
            .And.Contain("--warmup-steps 10 comes from profile paper. "));
        var typed = CommandRun.Of(_model.FineTune("typed", "--warmup-steps", "1000"));
        Assert.That(typed.Error, Does.Contain("--warmup-steps 1000: expected").And.Not.Contain("comes from"));
    }

    [Test]
    public void Help_shows_units_and_defaults_and_no_foreign_aliases()
    {
        var help = CommandRun.Of("train", "--help");
        Assert.That(help.ExitCode, Is.Zero);
        Assert.That(help.Output, Does.Contain("--max-length <TOKENS>").And.Contain("[default: 512]")
            .And.Not.Contain("/?"));
        Assert.That(CommandRun.Of("train", "/?").ExitCode, Is.EqualTo((int)ExitCode.Usage));
        Assert.That(CommandRun.Of().ExitCode, Is.EqualTo((int)ExitCode.Usage));
    }
}
