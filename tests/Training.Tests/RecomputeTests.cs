using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests;

/// <summary>Recomputing is about memory alone: the numbers must not show that it happened.</summary>
public sealed class RecomputeTests
{
    /// <summary>Several steps, so that an update built on a wrong gradient would be carried on.</summary>
    [TestCase("reference", 0.0)]
    [TestCase("cpu", 0.0)]
    [TestCase("cpu", 0.3)]
    public void Losses_gradients_and_parameters_are_the_same_bits(string device, double dropout)
    {
        using var backend = ComputeBackends.Open(device);
        var (losses, gradients, values) = Learn(backend, Recompute.Nothing, dropout);
        var again = Learn(backend, Recompute.Block, dropout);
        Assert.That(gradients.Any(g => g != 0));
        Assert.That(again.Losses, Is.EqualTo(losses));
        Assert.That(again.Gradients, Is.EqualTo(gradients));
        Assert.That(again.Values, Is.EqualTo(values));
    }

    /// <summary>Where all weights learn, every norm and linear has a gradient that needs its input.</summary>
    [Test]
    public void So_they_are_where_all_weights_learn()
    {
        using var backend = new CpuBackend(2);
        double[] Gradients(Recompute recompute)
        {
            using var weights = LlamaWeights.InitializeRandom(backend, TinyLlama.Config, seed: 3);
            using var model = new Llama(backend, weights, adapter: null, maxLength: 16);
            using var workspace = new Workspace(model, 16, forBackward: true, recompute);
            using var total = new Arena(backend, "total");
            var loss = total.Take(new(1), DType.Float64, "loss");
            total.Commit();
            var row = PackedBatch.Of(TokenizedExample.FromLabels(
                "row", default, TinyLlama.Tokens(12, seed: 8, vocabulary: 37), [.. Enumerable.Repeat(true, 12)]));
            var pass = workspace.For(row.Length);
            pass.Batch.Upload(row.Tokens, row.Positions, row.FirstKey, row.Targets);
            model.Forward(pass);
            model.Loss(pass, 1.0 / row.TargetCount, loss);
            model.Backward(pass);
            return [.. model.Parameters.SelectMany(p => p.Gradient.ReadDoubles())];
        }

        var kept = Gradients(Recompute.Nothing);
        Assert.That(kept.Count(g => g != 0), Is.GreaterThan(kept.Length / 2));
        Assert.That(Gradients(Recompute.Block), Is.EqualTo(kept));
    }

    /// <summary>What is left grows with the number of layers by the residual stream alone.</summary>
    [Test]
    public void Only_block_inputs_grow_with_the_number_of_layers()
    {
        using var backend = new CpuBackend(1);
        long Bytes(int layers, Recompute recompute)
        {
            using var weights = LlamaWeights.Plan(backend, TinyLlama.Config with { Layers = layers }, trainable: true);
            using var model = new Llama(backend, weights, adapter: null, maxLength: 16);
            return Workspace.BytesFor(model, 16, forBackward: true, recompute);
        }

        var input = 16L * backend.RowStride(TinyLlama.Config.HiddenSize, DType.Float32) * sizeof(float);
        Assert.That(Bytes(9, Recompute.Block) - Bytes(8, Recompute.Block), Is.EqualTo(input).Within(256),
            "tensors begin at multiples of 256 bytes");
        Assert.That(Bytes(8, Recompute.Block), Is.LessThan(Bytes(8, Recompute.Nothing) / 2));
    }

    private static (List<double> Losses, double[] Gradients, double[] Values) Learn(
        IBackend backend, Recompute recompute, double dropout)
    {
        using var run = new TinyRun(backend, dropout);
        using var workspace = new Workspace(run.Model, 128, forBackward: true, recompute);
        using var trainer = run.Trainer(workspace);
        List<double> losses = [];
        for (var step = 0; step < 3; step++)
        {
            losses.AddRange(trainer.Step(BatchPacker.Step(TinyRun.Rows(8), 4)).MicroLosses);
        }

        return (losses, run.Gradients(), run.Values());
    }
}
