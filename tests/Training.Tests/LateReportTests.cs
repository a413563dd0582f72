using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests;

/// <summary>
/// On a device a step's report is read while the next step runs; what a run leaves behind must not show it.
/// </summary>
public sealed class LateReportTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = TestFiles.NewFolder();

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [TestCase(9, 1)]
    [TestCase(9, 4)]
    [TestCase(7, 10)]
    public void Late_reports_leave_the_same_log_and_the_same_parameters(int steps, int evaluateEvery)
    {
        var config = TinyRun.Config with { Steps = steps, EvaluateEvery = evaluateEvery };
        var (prompt, atOnce) = Learn(late: false, config);
        var (late, after) = Learn(late: true, config);
        Assert.That(after, Is.EqualTo(atOnce));
        Assert.That(Metrics(late), Is.EqualTo(Metrics(prompt)));
        Assert.That(new CheckpointFolder(late).Steps, Is.EqualTo(new CheckpointFolder(prompt).Steps));
    }

    /// <summary>The step after the fault was queued already, but its update was not: nothing has moved.</summary>
    [Test]
    public void A_step_that_is_not_finite_is_named_one_step_late_and_moves_nothing()
    {
        var config = TinyRun.Config with { LearningRate = 1e25, MaxGradNorm = 0, EvaluateEvery = 100 };
        var (prompt, atOnce) = Fail(late: false, config);
        var (late, after) = Fail(late: true, config);
        Assert.That(prompt, Does.Match("^Step [2-8]: "), "a fault in the middle of the run");
        Assert.That(late, Is.EqualTo(prompt));
        Assert.That(after, Is.EqualTo(atOnce));
    }

    [Test]
    public void An_interrupted_run_reports_its_last_step_before_it_ends()
    {
        using var stop = new CancellationTokenSource();
        using var backend = new LateBackend();
        using var run = new TinyRun(backend);
        var data = new TrainingData(TinyRun.Rows(8), [], []);
        using var training = new TrainingRun(
            run.Model, TinyRun.Config with { EvaluateEvery = 100 }, data, _folder, "base", new StopAfter(stop, 2));
        var result = training.Run(stop.Token);
        Assert.That(result.Interrupted);
        Assert.That(result.Steps, Is.EqualTo(3), "the third step was queued when the second was reported");
        Assert.That(File.ReadAllLines(Path.Combine(_folder, TrainingLog.MetricsName)), Has.Length.EqualTo(3));
        Assert.That(new CheckpointFolder(_folder).Steps, Is.EqualTo(new[] { 3 }));
    }

    private (string Folder, double[] Values) Learn(bool late, TrainingConfig config)
    {
        var folder = Path.Combine(_folder, late ? "late" : "prompt");
        Directory.CreateDirectory(folder);
        using var backend = Open(late);
        using var run = new TinyRun(backend, dropout: 0.1);
        var data = new TrainingData(TinyRun.Rows(8), [.. TinyRun.Rows(12).Skip(8)], []);
        using var training = new TrainingRun(run.Model, config, data, folder, "base", NoView.Instance);
        training.Run(CancellationToken.None);
        return (folder, run.Values());
    }

    private (string Message, double[] Values) Fail(bool late, TrainingConfig config)
    {
        var folder = Path.Combine(_folder, late ? "late" : "prompt");
        Directory.CreateDirectory(folder);
        using var backend = Open(late);
        using var run = new TinyRun(backend);
        using var training = new TrainingRun(
            run.Model, config, new TrainingData(TinyRun.Rows(8), [], []), folder, "base", NoView.Instance);
        var error = Assert.Throws<SafeLlamaException>(() => training.Run(CancellationToken.None))!;
        Assert.That(error.Code, Is.EqualTo(ExitCode.NonFinite));
        return (error.Message, run.Values());
    }

    private static IBackend Open(bool late) => late ? new LateBackend() : new CpuBackend(1);

    private static byte[] Metrics(string folder) => File.ReadAllBytes(Path.Combine(folder, TrainingLog.MetricsName));
}
