using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests;

public sealed class TrainerTests
{
    [TestCase("reference")]
    [TestCase("cpu")]
    public void A_tiny_model_learns_one_batch_by_heart(string device)
    {
        using var backend = ComputeBackends.Open(device);
        using var weights = LlamaWeights.InitializeRandom(backend, TinyLlama.Config, seed: 3);
        using var model = new Llama(backend, weights, adapter: null, maxLength: 16);
        using var workspace = new Workspace(model, 64, forBackward: true);
        var schedule = new LearningRateSchedule(ScheduleShape.Cosine, 0.01, 0, 60);
        using var trainer = new Trainer(model, workspace, new TrainerSettings(schedule), maxMicroBatches: 1);
        var batch = BatchPacker.Step(
            [.. TinyRun.Rows(3).Select(r => TokenizedExample.FromLabels(
                r.Id, r.Source, [.. r.Tokens.Select(t => t % 37)], [.. r.Targets.Select(_ => true)]))],
            3);
        var losses = Enumerable.Range(0, 60).Select(_ => trainer.Step(batch).Loss).ToList();
        Assert.That(losses[0], Is.GreaterThan(3), "an untrained model guesses among 37 tokens");
        Assert.That(losses[^1], Is.LessThan(0.05));
    }

    /// <summary>The sums are the same; only their order differs, so fp32 rounds them apart in the last of 7
    /// digits.</summary>
    [TestCase("reference", 1e-12)]
    [TestCase("cpu", 2e-5)]
    public void Micro_batches_add_up_to_one_batch(string device, double tolerance)
    {
        using var backend = ComputeBackends.Open(device);
        var (wholeLoss, whole) = Gradients(backend, [TinyRun.Rows(6)]);
        var (partsLoss, parts) = Gradients(backend, [.. TinyRun.Rows(6).Chunk(2)]);
        Assert.That(partsLoss, Is.EqualTo(wholeLoss).Within(tolerance * wholeLoss));
        Assert.That(parts, Is.EqualTo(whole).Within(tolerance * whole.Max(Math.Abs)));
    }

    [TestCase("reference", 1e-12)]
    [TestCase("cpu", 2e-5)]
    public void Packed_and_separate_examples_give_one_loss_and_one_gradient(string device, double tolerance)
    {
        using var backend = ComputeBackends.Open(device);
        var (packedLoss, packed) = Gradients(backend, [TinyRun.Rows(5)]);
        var (separateLoss, separate) = Gradients(backend, [.. TinyRun.Rows(5).Chunk(1)]);
        Assert.That(separateLoss, Is.EqualTo(packedLoss).Within(tolerance * packedLoss));
        Assert.That(separate, Is.EqualTo(packed).Within(tolerance * packed.Max(Math.Abs)));
    }

    [Test]
    public void One_thread_and_two_learn_the_same_bits()
    {
        double[] Learn(int threads)
        {
            using var backend = new CpuBackend(threads);
            using var run = new TinyRun(backend, dropout: 0.1);
            using var workspace = new Workspace(run.Model, 128, forBackward: true);
            using var trainer = run.Trainer(workspace);
            for (var step = 0; step < 4; step++)
            {
                trainer.Step(BatchPacker.Step(TinyRun.Rows(8), 4));
            }

            return run.Values();
        }

        Assert.That(Learn(2), Is.EqualTo(Learn(1)));
    }

    [Test]
    public void Dropout_differs_between_steps_and_micro_batches_and_repeats_with_its_seed()
    {
        double[] Losses()
        {
            using var backend = new ReferenceBackend();
            using var run = new TinyRun(backend, dropout: 0.5);
            foreach (var pair in run.Adapter.Pairs)
            {
                pair.B.Value.Write(pair.B.Value.ReadDoubles().Select((_, i) => 0.1 * Math.Sin(i)).ToArray());
            }

            // A learning rate near zero: what differs between the passes over one row is its dropout alone.
            using var workspace = new Workspace(run.Model, 64, forBackward: true);
            using var trainer = run.Trainer(workspace, rate: 1e-300);
            var row = PackedBatch.Of(TinyRun.Rows(1));
            return [.. trainer.Step([row, row]).MicroLosses, .. trainer.Step([row, row]).MicroLosses];
        }

        var losses = Losses();
        Assert.That(losses, Is.Unique);
        Assert.That(Losses(), Is.EqualTo(losses));
    }

    [Test]
    public void A_step_that_is_not_finite_changes_nothing()
    {
        using var backend = new CpuBackend(1);
        using var run = new TinyRun(backend);
        using var workspace = new Workspace(run.Model, 64, forBackward: true);
        using var trainer = run.Trainer(workspace);
        run.Adapter.Pairs.First().B.Value.Write([.. Enumerable.Repeat(float.PositiveInfinity, 256)]);
        var before = run.Values();
        var report = trainer.Step(BatchPacker.Step(TinyRun.Rows(2), 2));
        Assert.That(report.IsFinite, Is.False);
        Assert.That(run.Values(), Is.EqualTo(before));
        Assert.That(trainer.Moments.All(m => m.First.ReadDoubles().All(x => x == 0)));
    }

    /// <summary>Two micro-batches with 3 and 1 targets, 4 and 2 labels: the factors by hand.</summary>
    [Test]
    public void Loss_divisors_follow_their_rules()
    {
        IReadOnlyList<PackedBatch> step = [Labeled(4), Labeled(2)];
        Assert.That(LossNormalization.Targets.Scales(step), Is.EqualTo([1 / 4.0, 1 / 4.0]));
        Assert.That(LossNormalization.HuggingFace.Scales(step), Is.EqualTo([1 / 6.0, 1 / 6.0]));
        Assert.That(LossNormalization.Legacy.Scales(step), Is.EqualTo([1 / 6.0, 1 / 2.0]));

        // The first token is labeled, and nothing predicts it.
        static PackedBatch Labeled(int count) => PackedBatch.Of(TokenizedExample.FromLabels(
            "row", default, [.. Enumerable.Range(0, count)], [.. Enumerable.Repeat(true, count)]));
    }

    /// <summary>Loss and gradients of one step at a learning rate that moves nothing.</summary>
    private static (double Loss, double[] Gradients) Gradients(
        IBackend backend, IReadOnlyList<IReadOnlyList<TokenizedExample>> microBatches)
    {
        using var run = new TinyRun(backend);
        foreach (var pair in run.Adapter.Pairs)
        {
            pair.B.Value.Write(pair.B.Value.ReadDoubles().Select((_, i) => 0.05 * Math.Cos(i)).ToArray());
        }

        using var workspace = new Workspace(run.Model, 128, forBackward: true);
        using var trainer = run.Trainer(workspace);
        var report = trainer.Step([.. microBatches.Select(rows => PackedBatch.Of(rows))]);
        return (report.Loss, run.Gradients());
    }
}
