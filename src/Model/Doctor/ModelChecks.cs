using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>
/// Checks a small whole model on a device: loss and adapter gradients against the fp64 reference, and packed batches
/// against separate ones.
/// </summary>
public static class ModelChecks
{
    /// <summary>Two blocks, grouped queries, and sizes that fill no vector, group or tile.</summary>
    public static LlamaConfig Config { get; } = new()
    {
        VocabularySize = 67,
        HiddenSize = 40,
        IntermediateSize = 72,
        Layers = 2,
        Heads = 4,
        KeyValueHeads = 2,
        HeadDim = 10,
        RmsNormEpsilon = 1e-5,
        MaxPositions = 64,
        InitializerRange = 0.2,
        EosTokenIds = [2],
        BosTokenId = 1,
    };

    private static readonly int[][] Examples = [Tokens(9, 1), Tokens(5, 2), Tokens(2, 3)];

    /// <summary>Runs all checks, one at a time.</summary>
    /// <param name="device">What to check; it stays open.</param>
    public static IEnumerable<HealthCheck> Run(IBackend device)
    {
        using var reference = new ReferenceBackend();
        var (tolerance, reason) = device.Operands switch
        {
            DType.Float64 => (1e-10, "fp64 against itself"),
            DType.Float32 => (2e-4, "fp32 through two blocks and back"),
            _ => (1e-1, "bf16 in the products of two blocks and back"),
        };
        var (loss, gradients) = Measure(device, [Examples]);
        var (expectedLoss, expectedGradients) = Measure(reference, [Examples]);
        yield return new("whole model, loss", HealthCheck.Error([loss], [expectedLoss]), tolerance, reason);
        yield return new(
            "whole model, adapter gradients", HealthCheck.Error(gradients, expectedGradients), tolerance, reason);

        var (separateLoss, separate) = Measure(device, [.. Examples.Select(example => new[] { example })]);
        yield return new(
            "packed = separate, loss", HealthCheck.Error([loss], [separateLoss]), tolerance, "another order of sums");
        yield return new(
            "packed = separate, gradients", HealthCheck.Error(gradients, separate), tolerance, "another order of sums");

        var (againLoss, again) = Measure(device, [Examples]);
        yield return new(
            "twice the same bytes", HealthCheck.Error([againLoss, .. again], [loss, .. gradients]), 0,
            "every sum has one order");

        var (_, recomputed) = Measure(device, [Examples], Recompute.Block);
        yield return new(
            "recomputed = kept, gradients", HealthCheck.Error(recomputed, gradients), 0,
            "the same ops on the same numbers");
    }

    private static (double Loss, double[] Gradients) Measure(
        IBackend backend, IReadOnlyList<int[][]> microBatches, Recompute recompute = Recompute.Nothing)
    {
        using var weights = LlamaWeights.InitializeRandom(backend, Config, seed: 1);
        using var adapter = LoraAdapter.Create(
            backend, Config, new LoraConfig { Rank = 3, Alpha = 5, Targets = LlamaShapes.LinearNames }, seed: 11);
        foreach (var pair in adapter.Pairs)
        {
            // At B = 0 the gradient of A vanishes and proves nothing.
            var stream = Philox.Stream(pair.Index, "doctor");
            pair.B.Value.Write(
                [.. Enumerable.Range(0, (int)pair.B.Value.Shape.Count).Select(i => 0.2 * stream.Normal(i))]);
        }

        using var model = new Llama(backend, weights, adapter, maxLength: 16);
        using var workspace = new Workspace(model, 16, forBackward: true, recompute);
        using var arena = new Arena(backend, "total");
        var total = arena.Take(new(1), DType.Float64, "total");
        arena.Commit();
        var targets = Examples.Sum(example => example.Length - 1);
        foreach (var examples in microBatches)
        {
            var pass = workspace.For(examples.Sum(example => example.Length));
            Upload(pass.Batch, examples);
            model.Forward(pass);
            model.Loss(pass, 1.0 / targets, total);
            model.Backward(pass);
        }

        return (total.ReadDoubles()[0] / targets, [.. adapter.Parameters.SelectMany(p => p.Gradient.ReadDoubles())]);
    }

    /// <summary>Uploads examples one after another; every token but the last of each has a target.</summary>
    private static void Upload(TokenBatch batch, int[][] examples) => batch.Upload(
        [.. examples.SelectMany(example => example)],
        [.. examples.SelectMany(example => Enumerable.Range(0, example.Length))],
        [.. examples.SelectMany((example, i) => Enumerable.Repeat(examples.Take(i).Sum(e => e.Length),
            example.Length))],
        [.. examples.SelectMany(example => example.Skip(1).Append(-1))]);

    private static int[] Tokens(int count, long seed)
    {
        var stream = Philox.Stream(seed, "doctor tokens");
        return [.. Enumerable.Range(0, count).Select(i => stream.Below(i, 67))];
    }
}
