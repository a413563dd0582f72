using System.Diagnostics;
using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>Runs that are killed, interrupted or out of disk, and then resumed: the same adapter, byte for
/// byte.</summary>
[Category("Fault")]
[NonParallelizable]
public sealed class TrainFaultTests : IDisposable
{
    private const int Killed = 137;

    private TinyModel _model = null!;

    [OneTimeSetUp]
    public void TrainWhole()
    {
        _model = new TinyModel();
        Assert.That(_model.Train().ExitCode, Is.Zero);
        Assert.That(CommandRun.Of(_model.FineTune("whole")).ExitCode, Is.Zero);
    }

    public void Dispose() => _model.Dispose();

    [Test]
    public void Two_processes_write_the_same_bytes()
    {
        Assert.That(CommandRun.Of(_model.FineTune("again", "--threads", "2").SkipRepeated("--threads")).ExitCode,
            Is.Zero);
        MustEqualWhole("again");
    }

    /// <summary>The sites of a run in order: run.json, three checkpoints of four files each, the adapter's
    /// two.</summary>
    [TestCase("step:1")]
    [TestCase("step:5")]
    [TestCase("step:8")]
    [TestCase("write:1")]
    [TestCase("write:3")]
    [TestCase("write:9")]
    [TestCase("flush:2")]
    [TestCase("flush:5")]
    [TestCase("flush:14")]
    [TestCase("rename:1")]
    [TestCase("rename:6")]
    [TestCase("rename:18")]
    public void Killed_at_a_site_and_resumed_a_run_ends_as_if_unbroken(string fault) => KillAndResume(fault);

    [Test]
    [Slow("kills at every site of a run, one after another")]
    public void Killed_at_every_site_and_resumed_a_run_ends_as_if_unbroken(
        [Values("write", "flush", "rename", "step")] string site, [Range(1, 8)] int n) =>
        KillAndResume($"{site}:{n}", "every-");

    [TestCase("flush:3:full")]
    [TestCase("write:6:full")]
    public void A_full_disk_is_one_line_and_the_run_goes_on_once_there_is_room(string fault)
    {
        var name = fault.Replace(':', '-');
        var failed = CommandRun.Of(fault, _model.FineTune(name));
        Assert.That(failed.ExitCode, Is.EqualTo((int)ExitCode.Failure), failed.Error);
        Assert.That(failed.Error.Split('\n')[^1], Does.Contain("No space left").And.StartWith("safellama: "));
        Assert.That(CommandRun.Of(_model.FineTune(name, "--resume")).ExitCode, Is.Zero);
        MustEqualWhole(name);
    }

    [TestCase(2)]
    [TestCase(6)]
    public void Killed_from_outside_and_resumed_a_run_ends_as_if_unbroken(int step) => KillFromOutside(step);

    [Test]
    [Slow("ten kills from outside, at random steps")]
    public void Killed_at_random_times_and_resumed_a_run_ends_as_if_unbroken([Range(1, 10)] int seed) =>
        KillFromOutside(1 + Philox.Stream(seed, "kill").Below(0, 7));

    [TestCase("INT")]
    [TestCase("TERM")]
    [TestCase("HUP")]
    public void A_signal_leaves_a_checkpoint_and_exit_code_130(string signal)
    {
        Signals.RequireDelivered(signal);
        var name = "interrupted-" + signal;
        var run = CommandRun.InterruptedAt("step 2/8 ", process => Interrupt(process, signal), _model.FineTune(name));
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.Interrupted), run.Error);
        Assert.That(run.Error, Does.Contain("--resume"));
        var checkpoints = Directory.GetDirectories(Path.Combine(_model.Out(name), "checkpoints"));
        Assert.That(checkpoints, Is.Not.Empty);
        Assert.That(File.Exists(Path.Combine(checkpoints[0], "adapter_config.json")), "a checkpoint is an adapter too");

        // A resumed run needs no options but its folder.
        Assert.That(CommandRun.Of("train", "--resume", "--out", _model.Out(name)).ExitCode, Is.Zero);
        MustEqualWhole(name);
    }

    [Test]
    public void A_resumed_run_keeps_its_settings_and_its_data()
    {
        Assert.That(CommandRun.Of("step:4", _model.FineTune("kept")).ExitCode, Is.EqualTo(Killed));
        var other = CommandRun.Of("train", "--resume", "--out", _model.Out("kept"), "--rank", "5");
        Assert.That((other.ExitCode, other.Error), Is.EqualTo(((int)ExitCode.Usage, other.Error)));
        Assert.That(other.Error, Does.Contain("--rank 5").And.Contain("'8'"));

        var rows = File.ReadAllText(_model.Rows);
        File.AppendAllText(_model.Rows, "{\"instruction\":\"More.\",\"output\":\"More.\"}\n");
        var changed = CommandRun.Of("train", "--resume", "--out", _model.Out("kept"));
        File.WriteAllText(_model.Rows, rows);
        Assert.That(changed.ExitCode, Is.EqualTo((int)ExitCode.InvalidData));
        Assert.That(changed.Error, Does.Contain(_model.Rows).And.Contain("has changed"));

        Assert.That(CommandRun.Of("train", "--resume", "--out", _model.Out("kept")).ExitCode, Is.Zero);
        MustEqualWhole("kept");
    }

    [Test]
    public void A_step_changed_by_hand_is_refused_in_one_line_and_the_checkpoint_before_serves()
    {
        Assert.That(CommandRun.Of("step:7", _model.FineTune("edited")).ExitCode, Is.EqualTo(Killed));
        var checkpoint = Path.Combine(_model.Out("edited"), "checkpoints", "step-6");
        var path = Path.Combine(checkpoint, "trainer_state.json");
        var state = JsonNode.Parse(File.ReadAllText(path))!;
        state["step"] = -1;
        File.WriteAllText(path, state.ToJsonString());
        var refused = CommandRun.Of("train", "--resume", "--out", _model.Out("edited"));
        Assert.That(refused.ExitCode, Is.EqualTo((int)ExitCode.InvalidData), refused.Error);
        Assert.That(refused.Error.Split('\n')[^1], Does.StartWith("safellama: ")
            .And.Contain("trainer_state.json: \"step\" is -1, expected 6").And.Contain("resume from the one before"));

        Directory.Delete(checkpoint, recursive: true);
        var resumed = CommandRun.Of("train", "--resume", "--out", _model.Out("edited"));
        Assert.That(resumed.ExitCode, Is.Zero, resumed.Error);
        MustEqualWhole("edited");
    }

    [Test]
    public void Killed_and_resumed_a_run_in_bf16_ends_as_if_unbroken_and_another_arithmetic_is_refused()
    {
        Assert.That(CommandRun.Of(_model.FineTune("bf16", "--device", "cpu:bf16")).ExitCode, Is.Zero);
        Assert.That(_model.AdapterOf("bf16"), Is.Not.EqualTo(_model.AdapterOf("whole")), "it rounds");
        string[] two = [.. _model.FineTune("bf16-killed", "--device", "cpu:bf16", "--threads", "2")
            .SkipRepeated("--threads")];
        Assert.That(CommandRun.Of("step:5", two).ExitCode, Is.EqualTo(Killed));
        var other = CommandRun.Of("train", "--resume", "--out", _model.Out("bf16-killed"), "--device", "cpu");
        Assert.That(other.ExitCode, Is.EqualTo((int)ExitCode.Usage), other.Error);
        Assert.That(other.Error, Does.Contain("--device cpu").And.Contain("'cpu:bf16'"));
        var resumed = CommandRun.Of("train", "--resume", "--out", _model.Out("bf16-killed"));
        Assert.That(resumed.ExitCode, Is.Zero, resumed.Error);
        Assert.That(_model.AdapterOf("bf16-killed"), Is.EqualTo(_model.AdapterOf("bf16")));
    }

    private static void Interrupt(Process process, string signal)
    {
        using var kill = Process.Start(
            "kill", ["-" + signal, process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    [Test]
    public void Of_two_runs_into_one_folder_one_is_refused()
    {
        CommandRun? second = null;
        CommandRun.InterruptedAt("validation loss", first =>
        {
            second = CommandRun.Of(_model.FineTune("both"));
            first.Kill();
        }, _model.FineTune("both", "--steps", "100000").SkipRepeated("--steps"));
        MustBeTaken(second!, "both");

        CommandRun.InterruptedAt("validation loss", first =>
        {
            second = CommandRun.Of("train", "--resume", "--out", _model.Out("both"));
            first.Kill();
        }, "train", "--resume", "--out", _model.Out("both"));
        MustBeTaken(second!, "both");
    }

    [Test]
    public void Of_runs_that_begin_together_one_ends_as_if_alone()
    {
        var runs = new CommandRun[3];
        Parallel.For(0, runs.Length, i => runs[i] = CommandRun.Of(_model.FineTune("together")));
        Assert.That(runs.Select(r => r.ExitCode).Order(), Is.EqualTo(new[] { 0, 2, 2 }));
        MustEqualWhole("together");
    }

    private static void MustBeTaken(CommandRun run, string folder)
    {
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.Usage), run.Error);
        Assert.That(run.Error.Split('\n'), Has.Length.EqualTo(1));
        Assert.That(run.Error, Does.Contain(folder).And.Contain("process ").And.Contain("has been writing there"));
    }

    /// <param name="prefix">Of the run's folder: ordinary and slow tests kill at some of the same sites.</param>
    private void KillAndResume(string fault, string prefix = "")
    {
        var name = prefix + fault.Replace(':', '-');
        var killed = CommandRun.Of(fault, _model.FineTune(name));
        Assert.That(killed.ExitCode, Is.EqualTo(Killed), $"the kill did not land:\n{killed.Error}");
        Assert.That(killed.Error, Does.Contain("killed at " + fault.Split(':')[0]));
        Assert.That(Directory.Exists(Path.Combine(_model.Out(name), "adapter")), Is.False,
            "the kill landed within the run");
        var resumed = CommandRun.Of(_model.FineTune(name, "--resume"));
        Assert.That(resumed.ExitCode, Is.Zero, resumed.Error);
        MustEqualWhole(name);
    }

    private void KillFromOutside(int step)
    {
        var name = $"outside-{step}-{Guid.NewGuid():N}";
        var killed = CommandRun.InterruptedAt($"step {step}/8 ", p => p.Kill(), _model.FineTune(name));
        Assert.That(killed.ExitCode, Is.EqualTo(Killed), "the kill landed within the run");
        Assert.That(Directory.Exists(Path.Combine(_model.Out(name), "adapter")), Is.False,
            "the kill landed within the run");
        var resumed = CommandRun.Of(_model.FineTune(name, "--resume"));
        Assert.That(resumed.ExitCode, Is.Zero, resumed.Error);
        MustEqualWhole(name);
    }

    private void MustEqualWhole(string name)
    {
        Assert.That(_model.AdapterOf(name), Is.EqualTo(_model.AdapterOf("whole")), "the adapter");
        Assert.That(_model.MetricsOf(name), Is.EqualTo(_model.MetricsOf("whole")), "the metrics");
        foreach (var left in (string[])["*" + OutputFile.TemporarySuffix, ".lock"])
        {
            Assert.That(
                Directory.EnumerateFileSystemEntries(_model.Out(name), left, SearchOption.AllDirectories), Is.Empty);
        }
    }
}
