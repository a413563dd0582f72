using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests;

/// <summary>Whole runs with a defense: resumed byte for byte, and refused where they make no sense.</summary>
public sealed class DefenseRunTests
{
    private static readonly DefenseSettings[] All =
    [
        new() { Constrained = new() }, new() { Lisa = new(0.5, 2, 3) }, new() { Booster = new(2, 0.1) },
    ];

    [Test]
    public void N_steps_are_k_steps_a_resume_and_the_rest_on_any_number_of_threads(
        [Range(0, 2)] int defense, [Values(2, 3, 6)] int stopAfter)
    {
        var (whole, parts) = (TestFiles.NewFolder(), TestFiles.NewFolder());
        var expected = Learn(All[defense], whole, threads: 2);
        Learn(All[defense], parts, threads: 1, stopAfter);
        Assert.That(Learn(All[defense], parts, threads: 3), Is.EqualTo(expected));
        Assert.That(
            File.ReadAllBytes(Path.Combine(parts, TrainingLog.MetricsName)),
            Is.EqualTo(File.ReadAllBytes(Path.Combine(whole, TrainingLog.MetricsName))));
        Assert.That(Learn(null, TestFiles.NewFolder(), threads: 1), Is.Not.EqualTo(expected), "the defense does something");
    }

    [Test]
    public void Constrained_fine_tuning_moves_less()
    {
        double Distance(DefenseSettings? defense) => Learn(defense, TestFiles.NewFolder(), threads: 1).Sum(x => x * x);
        var free = Distance(null);
        Assert.That(Distance(new() { Constrained = new(Beta: 5, First: 1, Early: 1) }), Is.LessThan(free));
    }

    [Test]
    [Category("Fault")]
    public void A_reference_that_was_changed_or_lost_is_refused_and_named()
    {
        var folder = TestFiles.NewFolder();
        Learn(All[0], folder, threads: 1, stopAfter: 3);
        var path = Path.Combine(folder, TokenReference.FileName);
        File.Delete(path);
        Assert.That(
            () => Learn(All[0], folder, threads: 1),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains(path));
    }

    [TestCase("lisa", "booster", "each changes what a step does")]
    [TestCase("constrained", "lisa", "each changes what a step does")]
    [TestCase("safe-lora", null, "needs Unaligned")]
    [TestCase("lisa", null, "needs Safety")]
    [TestCase("booster", null, "needs Harmful")]
    [TestCase("recovery", null, "needs Preferences")]
    [TestCase("lissa", null, "did you mean 'lisa'?")]
    public void What_cannot_be_is_refused_by_name(string first, string? second, string message) => Assert.That(
        () => FineTuneChecks.Check(Settings(new()
        {
            ["data"] = "rows.jsonl",
            ["model"] = "m",
            ["defense"] = second is null ? first : $"{first}\n{second}",
            ["safety"] = second is null ? "" : "s.jsonl",
            ["harmful"] = second == "booster" ? "h.jsonl" : "",
        })),
        Throws.TypeOf<SafeLlamaException>().With.Message.Contains(message));

    [TestCase("lisa-rho")]
    [TestCase("booster-alpha")]
    [TestCase("constraint-beta")]
    public void A_setting_of_a_defense_that_is_not_named_is_refused(string name) => Assert.That(
        () => FineTuneChecks.Check(Settings(new() { ["data"] = "rows.jsonl", ["model"] = "m", [name] = "2" })),
        Throws.TypeOf<SafeLlamaException>().With.Message.Contains("would have no effect"));

    [Test]
    public void The_plan_counts_what_a_defense_keeps()
    {
        using var backend = new CpuBackend(1);
        var shape = LlamaConfig.Load(Path.Combine(TestFiles.Reference, "models", "A-mha"));
        long Total(DefenseSettings? defense) => TrainingMemory.Of(
            backend, shape, new() { Defense = defense }, rows: 64, longest: 32, weightBytes: 0).Total;
        using var adapter = LoraAdapter.Plan(backend, shape, new TrainingConfig().Lora!);
        Assert.Multiple(() =>
        {
            Assert.That(
                Total(All[1]) - Total(null), Is.EqualTo(adapter.Parameters.Sum(p => p.Value.ByteCount)), "Lisa");
            Assert.That(Total(All[2]) - Total(null), Is.EqualTo(24 * adapter.ParameterCount), "Booster");
        });
    }

    private static SettingTable<FineTuneRequest> Settings(Dictionary<string, string> values) =>
        new SettingTable<FineTuneRequest>().Apply(values.Where(v => v.Value.Length > 0)
            .Select(v => KeyValuePair.Create(v.Key, new SettingValue(v.Value, "test"))));

    private static double[] Learn(
        DefenseSettings? defense, string folder, int threads, int stopAfter = int.MaxValue)
    {
        using var backend = new CpuBackend(threads);
        using var run = new TinyRun(backend, dropout: 0.1);
        using var stop = new CancellationTokenSource();
        var safety = TinyRun.Rows(5, "safety");
        var data = new TrainingData([.. TinyRun.Rows(9), .. safety], [], [])
        {
            SafetyIds = safety.Select(row => row.Id).ToHashSet(),
            Harmful = TinyRun.Rows(5, "harmful"),
        };
        using var training = new TrainingRun(
            run.Model, TinyRun.Config with { Defense = defense }, data, folder, "base", new Stopping(step =>
            {
                if (step == stopAfter)
                {
                    stop.Cancel();
                }
            }));
        training.Run(stop.Token);
        return run.Values();
    }

    private sealed class Stopping(Action<int> onStep) : ITrainingView
    {
        public void Stepped(StepReport report, int totalSteps, double seconds) => onStep(report.Step);

        public void Validated(ValidationReport report, bool isBest)
        {
        }

        public void Note(string line)
        {
        }
    }
}
