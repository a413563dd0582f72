using SafeLlama.Common;
using SafeLlama.Distributed;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests;

/// <summary>Any number of ranks leaves the bytes that one leaves.</summary>
public sealed class RanksTests
{
    private static readonly string[] Files =
        ["metrics.jsonl", "checkpoints/step-6/trainer_state.safetensors", "checkpoints/step-6/trainer_state.json"];

    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = TestFiles.NewFolder();

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    /// <summary>8 micro-batches, 5, or only 1; the last step of an epoch has fewer.</summary>
    [Test]
    public void Any_number_of_ranks_learns_the_same_bytes(
        [Values(2, 3, 4)] int ranks, [Values(1, 5, 8)] int microBatches)
    {
        var one = Learn(1, "one", microBatches);
        var many = Learn(ranks, "many", microBatches);
        Assert.That(many.Distinct().Count(), Is.EqualTo(1), "every rank holds the same adapter");
        Assert.That(many[0], Is.EqualTo(one[0]));
        MustBeEqual("many", "one");
    }

    [Test]
    public void Four_ranks_then_three_then_one_end_as_one_would()
    {
        var whole = Learn(1, "whole", 8);
        Learn(4, "parts", 8, stopAfter: 2);
        Learn(3, "parts", 8, stopAfter: 5);
        Assert.That(Learn(1, "parts", 8)[0], Is.EqualTo(whole[0]));
        MustBeEqual("parts", "whole");
    }

    [TestCase(1, 1, 0)]
    [TestCase(2, 1, 1)]
    [TestCase(8, 1, 3)]
    [TestCase(9, 1, 3)]
    [TestCase(8, 4, 4)]     // a share of two leaves that are no siblings: two sums, one received, the message
    public void Sums_need_as_many_copies_as_the_tree_is_high(int microBatches, int ranks, int copies)
    {
        using var backend = new CpuBackend(1);
        using var run = new TinyRun(backend);
        var config = TinyRun.Config with { Lora = run.Adapter.Config, BatchSize = microBatches, MicroBatch = 1 };
        var plan = TrainingMemory.Of(backend, run.Model.Config, config, 64, 64, weightBytes: 0, ranks: ranks);
        var gradients = plan.Terms.Single(t => t.Name == "gradients").Bytes;
        var sums = plan.Terms.SingleOrDefault(t => t.Name == "sums of micro-batches")?.Bytes ?? 0;
        Assert.That((double)sums / gradients, Is.EqualTo(copies));
    }

    [Test]
    public void A_rank_with_another_fact_is_named()
    {
        var error = Assert.Catch<Exception>(() => LocalRanks.Run(3, ranks =>
        {
            ranks.RequireSame(new Dictionary<string, string>
            {
                ["the version"] = "1.0",
                ["the hash of rows.jsonl"] = ranks.Rank == 2 ? "beef" : "cafe",
            });
            return 0;
        }))!;
        Assert.That(error.Message, Does.StartWith("rank 2 on host2: the hash of rows.jsonl is beef, and rank 0 on "
            + "host0 has cafe"));
    }

    private void MustBeEqual(string actual, string expected)
    {
        foreach (var file in Files)
        {
            Assert.That(File.ReadAllBytes(Path.Combine(_folder, actual, file)),
                Is.EqualTo(File.ReadAllBytes(Path.Combine(_folder, expected, file))), file);
        }
    }

    /// <returns>The adapter of every rank, as text.</returns>
    private string[] Learn(int size, string name, int microBatches, int stopAfter = int.MaxValue)
    {
        var folder = Path.Combine(_folder, name);
        Directory.CreateDirectory(folder);
        return LocalRanks.Run(size, ranks =>
        {
            using var backend = new CpuBackend(1);
            using var run = new TinyRun(backend, dropout: 0.1);
            var rows = TinyRun.Rows((2 * microBatches) + 3);
            var data = new TrainingData(rows, TinyRun.Rows(5, "general"), TinyRun.Rows(4, "safety"));
            var config = TinyRun.Config with { BatchSize = microBatches, MicroBatch = 1, Steps = 6 };
            using var stop = new CancellationTokenSource();
            // Whichever rank is asked, all stop.
            var view = new StopAt(ranks.Rank == size - 1 ? stopAfter : int.MaxValue, stop);
            using var training = new TrainingRun(run.Model, config, data, folder, "base", view, ranks);
            training.Run(stop.Token);
            return ContentHash.OfText(string.Join(' ', run.Values().Select(BitConverter.DoubleToInt64Bits)));
        });
    }

    private sealed class StopAt(int step, CancellationTokenSource stop) : ITrainingView
    {
        public void Stepped(StepReport report, int totalSteps, double seconds)
        {
            if (report.Step == step)
            {
                stop.Cancel();
            }
        }

        public void Validated(ValidationReport report, bool isBest)
        {
        }

        public void Note(string line)
        {
        }
    }
}
