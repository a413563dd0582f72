using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests;

public sealed class TrainingRunTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = TestFiles.NewFolder();

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    /// <summary>Stopped between any two steps, a run goes on to the same adapter and the same metrics.</summary>
    [Test]
    public void N_steps_are_k_steps_a_resume_and_the_rest(
        [Values("reference", "cpu")] string device, [Values(1, 4, 7)] int stopAfter,
        [Values] LoraVariant variant)
    {
        var whole = Path.Combine(_folder, "whole");
        var parts = Path.Combine(_folder, "parts");
        var expected = Learn(device, whole, int.MaxValue, out _, variant);
        Learn(device, parts, stopAfter, out var first, variant);
        Assert.That(first.Interrupted && first.Steps == stopAfter, "the stop landed within the run");
        var actual = Learn(device, parts, int.MaxValue, out var second, variant);
        Assert.That(second.Interrupted, Is.False);
        Assert.That(actual, Is.EqualTo(expected));
        Assert.That(File.ReadAllBytes(Path.Combine(parts, "metrics.jsonl")),
            Is.EqualTo(File.ReadAllBytes(Path.Combine(whole, "metrics.jsonl"))));
    }

    /// <summary>The base is quantized anew as the run goes on: to the same bytes.</summary>
    [Test]
    public void A_resumed_run_over_a_quantized_base_ends_with_the_same_bytes(
        [Values(LoadAs.Nf4, LoadAs.Int8, LoadAs.Int8Weights)] LoadAs form, [Values] LoraVariant variant)
    {
        var load = new LoadForm(form, Nested: form == LoadAs.Nf4);
        var (whole, parts) = (Path.Combine(_folder, "whole"), Path.Combine(_folder, "parts"));
        var expected = Learn("cpu", whole, stopAfter: int.MaxValue, out _, variant, load);
        Learn("cpu", parts, stopAfter: 4, out var first, variant, load);
        Assert.That(first.Interrupted && first.Steps == 4, "the stop landed within the run");
        Assert.That(Learn("cpu", parts, stopAfter: int.MaxValue, out _, variant, load), Is.EqualTo(expected));
        Assert.That(
            Learn("cpu", Path.Combine(_folder, "plain"), int.MaxValue, out _, variant), Is.Not.EqualTo(expected),
            "the base matters");
        Assert.That(File.ReadAllBytes(Path.Combine(parts, "metrics.jsonl")),
            Is.EqualTo(File.ReadAllBytes(Path.Combine(whole, "metrics.jsonl"))));
    }

    [Test]
    public void The_best_checkpoint_is_the_one_the_model_ends_with()
    {
        // Rows held out that contradict the ones learned: their loss falls at first, then rises.
        using var backend = new CpuBackend(1);
        using var run = new TinyRun(backend);
        var data = new TrainingData(TinyRun.Rows(8), [.. TinyRun.Rows(12).Skip(8)], []);
        var config = TinyRun.Config with { Steps = 40, LearningRate = 0.05, KeepCheckpoints = 1 };
        var watched = new Watched();
        using var training = new TrainingRun(run.Model, config, data, _folder, "base", watched);
        var result = training.Run(CancellationToken.None);

        var lowest = watched.Validations.MinBy(v => v.Loss)!;
        Assert.That(lowest.Step, Is.LessThan(40), "the test is one only if the last is not the best");
        Assert.That(result.BestStep, Is.EqualTo(lowest.Step));
        Assert.That(result.BestLoss, Is.EqualTo(lowest.Loss));
        using var workspace = new Workspace(run.Model, 64, forBackward: true);
        using var validator = new Validator(run.Model, workspace, data, 2);
        Assert.That(validator.Measure(0).Loss, Is.EqualTo(lowest.Loss));
        Assert.That(new CheckpointFolder(_folder).Steps, Is.EqualTo([lowest.Step, 40]),
            "the newest and the best are kept");
    }

    [Test]
    public void A_run_stops_after_validations_that_bring_nothing()
    {
        using var backend = new CpuBackend(1);
        using var run = new TinyRun(backend);
        var data = new TrainingData(TinyRun.Rows(8), [.. TinyRun.Rows(12).Skip(8)], []);
        var config = TinyRun.Config with { Steps = 200, LearningRate = 0.05, Patience = 2 };
        var watched = new Watched();
        using var training = new TrainingRun(run.Model, config, data, _folder, "base", watched);
        var result = training.Run(CancellationToken.None);
        Assert.That(result.Steps, Is.LessThan(200).And.EqualTo(result.BestStep + (2 * config.EvaluateEvery)));
    }

    [Test]
    public void A_run_stops_at_the_first_validation_with_the_loss_asked_for()
    {
        using var backend = new CpuBackend(1);
        using var whole = new TinyRun(backend);
        var data = new TrainingData(TinyRun.Rows(8), TinyRun.Rows(4), []);
        var config = TinyRun.Config with { Steps = 200, LearningRate = 0.05 };
        double? Loss(double? until, out TrainingResult result)
        {
            using var run = new TinyRun(backend);
            var folder = Directory.CreateDirectory(Path.Combine(_folder, $"until-{until}")).FullName;
            using var training = new TrainingRun(
                run.Model, config with { UntilLoss = until }, data, folder, "base", new Watched());
            result = training.Run(CancellationToken.None);

            // A finished run that is resumed does nothing more.
            using var again = new TrainingRun(
                run.Model, config with { UntilLoss = until }, data, folder, "base", new Watched());
            Assert.That(again.Run(CancellationToken.None).Steps, Is.EqualTo(result.Steps));
            return result.BestLoss;
        }

        var best = Loss(null, out var all)!.Value;
        Assert.That(all.Steps, Is.EqualTo(200));
        var until = (best + all.StartLoss!.Value) / 2;
        Assert.That(Loss(until, out var stopped), Is.LessThanOrEqualTo(until));
        Assert.That(stopped.Steps, Is.LessThan(200).And.EqualTo(stopped.BestStep));
        Assert.That(Loss(best / 2, out var missed), Is.GreaterThan(best / 2));
        Assert.That(missed.Steps, Is.EqualTo(200));
    }

    [Test]
    public void A_loss_to_stop_at_needs_held_out_rows()
    {
        using var backend = new CpuBackend(1);
        using var run = new TinyRun(backend);
        var config = TinyRun.Config with { UntilLoss = 1 };
        var data = new TrainingData(TinyRun.Rows(8), [], []);
        Assert.That(
            () => new TrainingRun(run.Model, config, data, _folder, "base", new Watched()),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("no rows are held out"));
        Assert.That(
            () => (config with { UntilLoss = 0 }).Validate(),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("UntilLoss 0"));
    }

    [Test]
    public void Safety_and_general_loss_are_measured_apart_and_together()
    {
        using var backend = new ReferenceBackend();
        using var run = new TinyRun(backend);
        var rows = TinyRun.Rows(7);
        using var workspace = new Workspace(run.Model, 128, forBackward: true);
        ValidationReport Measure(IReadOnlyList<TokenizedExample> general, IReadOnlyList<TokenizedExample> safety)
        {
            using var validator = new Validator(run.Model, workspace, new TrainingData(rows, general, safety), 2);
            return validator.Measure(3);
        }

        var both = Measure([.. rows.Take(4)], [.. rows.Skip(4)]);
        var all = Measure(rows, []);
        Assert.That(all.Safety, Is.Null);
        Assert.That(both.Loss, Is.EqualTo(all.Loss).Within(1e-12));
        Assert.That(both.General, Is.EqualTo(Measure([.. rows.Take(4)], []).Loss).Within(1e-12));
        Assert.That(both.Safety, Is.EqualTo(Measure([.. rows.Skip(4)], []).Loss).Within(1e-12));
    }

    [Test]
    [Category("Fault")]
    public void A_loss_that_is_not_finite_names_step_row_and_tensor()
    {
        using var backend = new CpuBackend(1);
        using var run = new TinyRun(backend);
        run.Adapter.Find("model.layers.1.mlp.down_proj")!.B.Value.Write([.. Enumerable.Repeat(float.NaN, 256)]);
        using var training = new TrainingRun(
            run.Model, TinyRun.Config, TrainingData.All(TinyRun.Rows(4)), _folder, "base", NoView.Instance);
        var error = Assert.Throws<SafeLlamaException>(() => training.Run(CancellationToken.None))!;
        Assert.That(error.Code, Is.EqualTo(ExitCode.NonFinite));
        Assert.That(error.Message, Does.Contain("Step 1").And.Contain("model.layers.1").And.Match("row [0-3]"));
        Assert.That(new CheckpointFolder(_folder).Steps, Is.Empty, "nothing is saved of a step that failed");
    }

    [Test]
    [Category("Fault")]
    public void A_damaged_checkpoint_is_refused_and_named()
    {
        Learn("cpu", _folder, stopAfter: 5, out _);
        var tensors = Path.Combine(new CheckpointFolder(_folder).PathOf(5), "trainer_state.safetensors");
        var bytes = File.ReadAllBytes(tensors);
        bytes[^1] ^= 1;
        File.WriteAllBytes(tensors, bytes);
        var error = Assert.Throws<SafeLlamaException>(() => Learn("cpu", _folder, int.MaxValue, out _))!;
        Assert.That(error.Code, Is.EqualTo(ExitCode.InvalidData));
        Assert.That(error.Message, Does.Contain(tensors));
    }

    [Test]
    [Category("Fault")]
    public void A_damaged_log_is_refused_and_named()
    {
        Learn("cpu", _folder, stopAfter: 5, out _);
        var metrics = Path.Combine(_folder, TrainingLog.MetricsName);
        File.WriteAllText(metrics, "{\"step\": 1}\n{\"st\n");
        var error = Assert.Throws<SafeLlamaException>(() => Learn("cpu", _folder, int.MaxValue, out _))!;
        Assert.That(error.Code, Is.EqualTo(ExitCode.InvalidData));
        Assert.That(error.Message, Does.Contain(metrics).And.Contain("byte 12"));
    }

    [Test]
    [Category("Fault")]
    public void A_full_disk_leaves_the_checkpoint_before_whole()
    {
        var failures = 0;
        OutputFile.FaultSite = (site, path) =>
        {
            if (site == "flush" && path.Contains("step-4", StringComparison.Ordinal))
            {
                failures++;
                throw new IOException("No space left on device");
            }
        };
        try
        {
            var error = Assert.Throws<SafeLlamaException>(() => Learn("cpu", _folder, int.MaxValue, out _))!;
            Assert.That(error.Message, Does.Contain("No space left"));
        }
        finally
        {
            OutputFile.FaultSite = null;
        }

        Assert.That(failures, Is.EqualTo(1));
        Assert.That(new CheckpointFolder(_folder).Steps, Is.EqualTo([2]));
        var resumed = Learn("cpu", _folder, int.MaxValue, out _);
        Assert.That(resumed, Is.EqualTo(Learn("cpu", Path.Combine(_folder, "whole"), int.MaxValue, out _)));
        Assert.That(
            Directory.EnumerateFileSystemEntries(_folder, "*" + OutputFile.TemporarySuffix, SearchOption.AllDirectories),
            Is.Empty);
    }

    [Test]
    public void Every_value_out_of_range_is_named_at_once()
    {
        var config = TinyRun.Config with { Epochs = 0, LearningRate = double.NaN, MicroBatch = 3, Patience = -1 };
        var error = Assert.Throws<SafeLlamaException>(config.Validate)!;
        Assert.That(error.Code, Is.EqualTo(ExitCode.Usage));
        Assert.That(error.Message, Does.Contain("Epochs 0").And.Contain("LearningRate NaN").And.Contain("MicroBatch 3")
            .And.Contain("Patience -1"));
    }

    private static double[] Learn(
        string device, string folder, int stopAfter, out TrainingResult result,
        LoraVariant variant = LoraVariant.Lora, LoadForm load = default)
    {
        Directory.CreateDirectory(folder);
        using var backend = ComputeBackends.Open(device);
        using var run = new TinyRun(backend, dropout: 0.1, load: load, variant: variant);
        using var stop = new CancellationTokenSource();
        var watched = new Watched { OnStep = step => { if (step == stopAfter) { stop.Cancel(); } } };
        var rows = TinyRun.Rows(14);
        var data = new TrainingData([.. rows.Take(10)], [.. rows.Skip(10).Take(2)], [.. rows.Skip(12)]);
        using var training = new TrainingRun(run.Model, Settings(variant), data, folder, "base", watched);
        result = training.Run(stop.Token);
        return run.Values();
    }

    /// <summary>Beside each variant what else has random numbers or rates of its own.</summary>
    private static TrainingConfig Settings(LoraVariant variant) => variant == LoraVariant.Lora ? TinyRun.Config
        : TinyRun.Config with
        {
            LearningRate = 0.001,
            NeftuneAlpha = 5,
            Optimizer = new() { LoraPlusRatio = 4, WeightDecay = 0.01 },
        };

    private sealed class Watched : ITrainingView
    {
        public Action<int>? OnStep { get; init; }

        public List<ValidationReport> Validations { get; } = [];

        public void Stepped(StepReport report, int totalSteps, double seconds) => OnStep?.Invoke(report.Step);

        public void Validated(ValidationReport report, bool isBest) => Validations.Add(report);

        public void Note(string line)
        {
        }
    }
}
