using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests;

/// <summary>A <c>trainer_state.json</c> that was changed by hand is not believed.</summary>
[Category("Fault")]
public sealed class CheckpointStateTests
{
    private string _folder = "";

    [SetUp]
    public void LearnFiveSteps()
    {
        _folder = TestFiles.NewFolder();
        Assert.That(Learn(stopAfter: 5).Interrupted, "the stop landed within the run");
        Assert.That(Checkpoints.Steps, Is.EqualTo([2, 4, 5]));
    }

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    private CheckpointFolder Checkpoints => new(_folder);

    [TestCase("step", -1, "\"step\" is -1, expected 5, as in the name of its folder.")]
    [TestCase("step", 4, "\"step\" is 4, expected 5, as in the name of its folder.")]
    [TestCase("since_best", -1, "\"since_best\" is -1, expected 0 or above.")]
    public void A_number_that_the_run_cannot_have_written_is_refused(string field, int value, string said)
    {
        Edit(5, state => state[field] = value);
        MustBeRefused(5, said);

        Directory.Delete(Checkpoints.PathOf(5), recursive: true);
        Assert.That(Learn().Interrupted, Is.False, "the way out leads to the end");
    }

    [Test]
    public void A_step_past_the_last_or_before_the_first_is_refused()
    {
        Directory.Move(Checkpoints.PathOf(5), Checkpoints.PathOf(99));
        Edit(99, state => state["step"] = 99);
        MustBeRefused(99, "\"step\" is 99, expected at most 9, the steps of this run.");

        foreach (var step in Checkpoints.Steps.SkipLast(1))
        {
            Directory.Delete(Checkpoints.PathOf(step), recursive: true);
        }

        Directory.Move(Checkpoints.PathOf(99), Checkpoints.PathOf(-1));
        Edit(-1, state => state["step"] = -1);
        MustBeRefused(-1, "\"step\" is -1, expected 0 or above. Delete this checkpoint to begin the run again");
    }

    [TestCase(0)]
    [TestCase(6)]
    public void A_best_step_that_was_not_done_is_refused(int step)
    {
        Edit(5, state => state["best"]!["step"] = step);
        MustBeRefused(5, $"\"best.step\" is {step}, expected a step from 1 to 5.");
    }

    [Test]
    public void A_best_loss_that_the_log_does_not_have_is_refused_where_there_is_a_log()
    {
        Edit(5, state => state["best"]!["loss"] = 0.125);
        MustBeRefused(5, "\"best.loss\" is 0.125, expected ");
        MustBeRefused(5, $", as {TrainingLog.MetricsName} has it at step ");

        File.Delete(Path.Combine(_folder, TrainingLog.MetricsName));
        Assert.That(Learn().Interrupted, Is.False);
    }

    private void Edit(int step, Action<JsonNode> change)
    {
        var path = StateOf(step);
        var state = JsonNode.Parse(File.ReadAllText(path))!;
        change(state);
        File.WriteAllText(path, state.ToJsonString());
    }

    private void MustBeRefused(int step, string said)
    {
        var error = Assert.Throws<SafeLlamaException>(() => Learn())!;
        Assert.That(error.Code, Is.EqualTo(ExitCode.InvalidData));
        Assert.That(error.Message, Does.StartWith(StateOf(step) + ": ").And.Contain(said));
        Assert.That(error.Message, Does.Contain("Delete this checkpoint to "));
    }

    private string StateOf(int step) => Path.Combine(Checkpoints.PathOf(step), "trainer_state.json");

    private TrainingResult Learn(int stopAfter = int.MaxValue)
    {
        using var stop = new CancellationTokenSource();
        using var backend = new CpuBackend(1);
        using var run = new TinyRun(backend);
        var data = new TrainingData(TinyRun.Rows(8), [.. TinyRun.Rows(12).Skip(8)], []);
        using var training = new TrainingRun(
            run.Model, TinyRun.Config, data, _folder, "base", new StopAfter(stop, stopAfter));
        return training.Run(stop.Token);
    }
}
