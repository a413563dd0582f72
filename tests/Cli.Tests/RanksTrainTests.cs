using SafeLlama.Common;

namespace SafeLlama.Cli.Tests;

/// <summary>Training over ranks of MPI: the bytes of one process, whatever their number, and an end to every
/// fault.</summary>
[NonParallelizable]
public sealed class RanksTrainTests : IDisposable
{
    private TinyModel _model = null!;

    [OneTimeSetUp]
    public void TrainWhole()
    {
        MpiRun.RequireInstalled(MpiRun.Mpich);
        _model = new TinyModel();
        Assert.That(_model.Train().ExitCode, Is.Zero);
        Assert.That(CommandRun.Of(Learn("whole")).ExitCode, Is.Zero);
    }

    public void Dispose() => _model?.Dispose();

    [TestCase(MpiRun.Mpich, 2)]
    [TestCase(MpiRun.Mpich, 3)]
    [TestCase(MpiRun.Mpich, 4)]
    [TestCase(MpiRun.OpenMpi, 2)]
    [TestCase(MpiRun.OpenMpi, 3)]
    public void Any_number_of_ranks_leaves_the_same_bytes(string mpi, int ranks)
    {
        var name = $"{mpi}-{ranks}";
        var run = MpiRun.Of(mpi, ranks, Learn(name));
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(
            run.Error.Split("validation loss").Length, Is.EqualTo(6), "at step 0, three and the end, told once");
        Assert.That(run.Error, Does.Contain($"ranks: {ranks}; a step has 8"));
        MustEqualWhole(name);
    }

    /// <summary>What rank 0 tells the others then has no validation loss; more ranks than rows.</summary>
    [TestCase(MpiRun.Mpich)]
    [TestCase(MpiRun.OpenMpi)]
    public void Without_held_out_rows_the_ranks_end_as_one_would(string mpi)
    {
        var few = Path.Combine(_model.Folder, "few.jsonl");
        File.WriteAllLines(few, File.ReadLines(_model.Rows).Take(2));
        string[] Few(string name) => ["train", "--model", _model.Model, "--data", few, "--epochs", "2", "--batch-size",
            "4", "--micro-batch", "1", "--validation", "0", "--threads", "1", "--out", _model.Out(name)];
        Assert.That(CommandRun.Of(Few($"few-{mpi}-1")).ExitCode, Is.Zero);
        var run = MpiRun.Of(mpi, 3, Few($"few-{mpi}-3"));
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(_model.AdapterOf($"few-{mpi}-3"), Is.EqualTo(_model.AdapterOf($"few-{mpi}-1")));
        Assert.That(_model.MetricsOf($"few-{mpi}-3"), Is.EqualTo(_model.MetricsOf($"few-{mpi}-1")));
    }

    [Test]
    public void Stopped_on_four_then_on_three_a_run_ends_on_one_with_the_same_bytes()
    {
        var four = MpiRun.Of(MpiRun.Mpich, [], Ranks(4, "parts", "step:4", at: 3));
        Assert.That(four.ExitCode, Is.Not.Zero, four.Error);
        var three = MpiRun.Of(MpiRun.Mpich, [], [.. Ranks(3, "parts", "step:4", at: 1)
            .Select(rank => rank with { Arguments = ["train", "--resume", "--out", _model.Out("parts")] })]);
        Assert.That(three.ExitCode, Is.Not.Zero, three.Error);
        Assert.That(three.Error, Does.Contain("resumed at step 3 of 8"));
        var one = CommandRun.Of("train", "--resume", "--out", _model.Out("parts"));
        Assert.That(one.ExitCode, Is.Zero, one.Error);
        Assert.That(one.Error, Does.Contain("resumed at step 6 of 8"));
        MustEqualWhole("parts");
    }

    /// <summary>The launcher's own words name the killed process, and ours at the start say which rank it is.</summary>
    [TestCase(MpiRun.Mpich, 0)]
    [TestCase(MpiRun.OpenMpi, 1)]
    public void A_killed_rank_ends_all_and_the_run_goes_on_later(string mpi, int rank)
    {
        var name = $"killed-{mpi}-{rank}";
        var run = MpiRun.Of(mpi, [], Ranks(3, name, "step:5", rank));
        Assert.That(run.ExitCode, Is.Not.Zero);
        Assert.That(run.Error, Does.Contain($"{rank} on {Environment.MachineName} (process "));
        ResumesOnTwo(name);
    }

    /// <summary>The launcher does not notice, or is told not to mind: the ranks notice themselves.</summary>
    [TestCase(MpiRun.Mpich, 0, "step:5:stop")]
    [TestCase(MpiRun.Mpich, 2, "step:5:stop")]
    [TestCase(MpiRun.OpenMpi, 1, "step:5", "--enable-recovery")]
    public void A_silent_rank_is_named_by_the_others(string mpi, int silent, string fault, params string[] options)
    {
        var name = $"silent-{silent}";
        var run = MpiRun.Of(mpi, options, [.. Ranks(3, name, fault, silent)
            .Select(rank => rank with { Variables = ["SAFELLAMA_RANK_TIMEOUT=4"] })]);
        Assert.That(run.Told, Does.StartWith($"safellama: rank {silent} on {Environment.MachineName} (process ")
            .And.Contain("has given no sign of life for 4 s"), run.Error);
        Assert.That(run.Error, Does.Contain("one that is silent for 4 s is lost"));
        ResumesOnTwo(name);
    }

    [TestCase(MpiRun.Mpich)]
    [TestCase(MpiRun.OpenMpi)]
    public void An_error_of_one_rank_is_one_line_with_its_exit_code(string mpi)
    {
        var ranks = Ranks(3, $"error-{mpi}");
        ranks[2] = ranks[2] with { Arguments = [.. ranks[2].Arguments.Select(a => a == _model.Rows ? "none.jsonl" : a)] };
        var run = MpiRun.Of(mpi, [], ranks);
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.Usage), run.Error);
        Assert.That(run.Told, Is.EqualTo(
            $"safellama: rank 2 on {Environment.MachineName}: none.jsonl: no such file; nothing is downloaded."));
    }

    [Test]
    public void An_error_of_all_ranks_is_told_once()
    {
        var run = MpiRun.Of(MpiRun.Mpich, 3, [.. Learn("all").Select(a => a == _model.Rows ? "none.jsonl" : a)]);
        Assert.That((run.ExitCode, run.Told.Split('\n').Length), Is.EqualTo(((int)ExitCode.Usage, 1)), run.Error);
    }

    [Test]
    public void A_full_disk_is_one_line_and_the_run_goes_on_later()
    {
        var run = MpiRun.Of(MpiRun.Mpich, [], Ranks(3, "full", "write:6:full", at: 0));
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.Failure), run.Error);
        Assert.That(run.Told, Does.StartWith("safellama: rank 0 on ").And.Contain("No space left"));
        ResumesOnTwo("full");
    }

    [Test]
    public void A_rank_with_another_file_or_setting_is_named_before_anything_is_written()
    {
        var other = Directory.CreateDirectory(_model.Out("other-disk")).FullName;
        File.WriteAllText(Path.Combine(other, "rows.jsonl"), File.ReadAllText(_model.Rows).Replace("is 3", "is 4"));
        var ranks = Ranks(3, "differs").Select(rank => rank with
        {
            Folder = _model.Folder,
            Arguments = [.. rank.Arguments.Select(a => a == _model.Rows ? "rows.jsonl" : a)],
        }).ToArray();
        ranks[1] = ranks[1] with { Folder = other };
        var file = MpiRun.Of(MpiRun.Mpich, [], ranks);
        Assert.That(file.ExitCode, Is.EqualTo((int)ExitCode.InvalidData), file.Error);
        Assert.That(file.Told, Does.StartWith($"safellama: rank 1 on {Environment.MachineName}: the hash of rows.jsonl"));

        ranks[1] = ranks[0] with { Arguments = [.. ranks[0].Arguments, "--seed", "5"] };
        var setting = MpiRun.Of(MpiRun.Mpich, [], ranks);
        Assert.That(setting.Told, Does.Contain($"rank 1 on {Environment.MachineName}: --seed is 5, and rank 0"));
        Assert.That(Directory.Exists(_model.Out("differs")), Is.False);
    }

    [Test]
    public void A_rank_that_starts_late_is_waited_for_and_one_that_never_starts_is_told()
    {
        var ranks = Ranks(3, "late");
        ranks[1] = ranks[1] with { Delay = 2 };
        var late = MpiRun.Of(MpiRun.Mpich, [], ranks);
        Assert.That(late.ExitCode, Is.Zero, late.Error);
        MustEqualWhole("late");

        ranks = [.. Ranks(2, "never").Select(rank => rank with { Variables = ["SAFELLAMA_RANK_START=2"] })];
        ranks[1] = ranks[1] with { Delay = 1000 };
        var never = MpiRun.Of(MpiRun.Mpich, [], ranks);
        // The launcher gives the code that it hears first: ours, or that of the rank it had to kill.
        Assert.That(never.ExitCode, Is.EqualTo((int)ExitCode.Failure).Or.EqualTo(9), never.Error);
        Assert.That(never.Told, Does.Contain("rank 0 on ").And.Contain("not all of the 2 ranks have started"));
    }

    [Test]
    public void A_missing_library_is_one_line()
    {
        var run = MpiRun.Of(MpiRun.Mpich, [], [.. Ranks(2, "library")
            .Select(rank => rank with { Variables = ["SAFELLAMA_MPI_LIBRARY=libnone.so"] })]);
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.Failure), run.Error);
        Assert.That(run.Told.Split('\n')[0], Does.Contain("none of libnone.so can be loaded"));
    }

    [Test]
    public void A_plan_names_the_ranks()
    {
        var run = MpiRun.Of(MpiRun.Mpich, 2, [.. Learn("plan"), "--dry-run"]);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Output, Does.Contain("ranks: 2; a step has 8 micro-batches, 4 at most for each"));
        Assert.That(run.Output.Split("in all for each rank").Length, Is.EqualTo(2), "told once");
    }

    private string[] Learn(string name) => _model.FineTune(name, "--micro-batch", "1");

    private MpiRun.Rank[] Ranks(int count, string name, string? fault = null, int at = -1) =>
        [.. Enumerable.Range(0, count).Select(rank => new MpiRun.Rank(Learn(name), rank == at ? fault : null))];

    private void ResumesOnTwo(string name)
    {
        var run = MpiRun.Of(MpiRun.Mpich, 2, "train", "--resume", "--out", _model.Out(name));
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        MustEqualWhole(name);
    }

    private void MustEqualWhole(string name)
    {
        Assert.That(_model.AdapterOf(name), Is.EqualTo(_model.AdapterOf("whole")), "the adapter");
        Assert.That(_model.MetricsOf(name), Is.EqualTo(_model.MetricsOf("whole")), "the metrics");
        foreach (var file in (string[])["trainer_state.safetensors", "trainer_state.json"])
        {
            Assert.That(File.ReadAllBytes(Path.Combine(_model.Out(name), "checkpoints", "step-8", file)),
                Is.EqualTo(File.ReadAllBytes(Path.Combine(_model.Out("whole"), "checkpoints", "step-8", file))), file);
        }
    }
}
