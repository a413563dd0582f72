using SafeLlama.Common;
using SafeLlama.Model;

namespace SafeLlama.Inference;

/// <summary>The direction of the residual stream that tells harmful prompts from harmless ones, by layer.</summary>
/// <remarks>
/// <code>direction[l] = mean over harmful of x[l] − mean over harmless of x[l]</code>
/// with x[l] the stream before block l at one token of a prompt, its last one as a rule. Arditi et al. 2024,
/// arXiv:2406.11717.
/// </remarks>
/// <param name="Layers">L + 1: before every block, and after the last.</param>
/// <param name="Position">The token of a prompt, counted from its end: −1 is the last one.</param>
/// <param name="Harmful">How many prompts the first mean is over.</param>
/// <param name="Harmless">How many prompts the second mean is over.</param>
public sealed record RefusalDirection(IReadOnlyList<LayerDirection> Layers, int Position, int Harmful, int Harmless)
{
    /// <summary>The hidden size, D.</summary>
    public int Size => Layers[0].Vector.Length;

    /// <exception cref="SafeLlamaException">A set is empty, or a prompt has no token at the position.</exception>
    public static RefusalDirection Find(
        Llama model, IReadOnlyList<int[]> harmful, IReadOnlyList<int[]> harmless, int position = -1,
        CancellationToken cancellation = default)
    {
        if (harmful.Count == 0 || harmless.Count == 0)
        {
            throw SafeLlamaException.InvalidData(
                $"A direction needs prompts of both kinds; there are {harmful.Count} harmful and {harmless.Count} "
                + "harmless ones.");
        }

        using var reader = new ResidualReader(model);
        double[][][] Read(IReadOnlyList<int[]> prompts) =>
        [
            .. prompts.Select(prompt =>
            {
                cancellation.ThrowIfCancellationRequested();
                return reader.Read(prompt, position);
            }),
        ];
        var (bad, good) = (Read(harmful), Read(harmless));
        return new(
            [.. Enumerable.Range(0, model.Blocks.Count + 1).Select(layer => At(
                layer, [.. bad.Select(x => x[layer])], [.. good.Select(x => x[layer])]))],
            position, harmful.Count, harmless.Count);
    }

    /// <summary>The cosines between this and another direction, by layer; null where one has no length.</summary>
    /// <exception cref="SafeLlamaException">The models have other sizes.</exception>
    public IReadOnlyList<double?> CosinesWith(RefusalDirection other, string name)
    {
        if (other.Size != Size || other.Layers.Count != Layers.Count)
        {
            throw SafeLlamaException.InvalidData(
                $"{name}: its direction has {other.Layers.Count} layers of {other.Size} features, this model's "
                + $"{Layers.Count} of {Size}; directions are compared between models of one shape.");
        }

        return [.. Layers.Zip(other.Layers, (mine, its) => UnitVector.Cosine(mine.Vector, its.Vector))];
    }

    private static LayerDirection At(int layer, double[][] harmful, double[][] harmless)
    {
        if (harmful.Concat(harmless).Any(x => x.Any(value => !double.IsFinite(value))))
        {
            throw new SafeLlamaException(
                ExitCode.NonFinite,
                $"The residual stream before block {layer} is not finite. The weights or the adapter are damaged, or "
                + "have grown past what the device's numbers hold.");
        }

        var vector = Difference(harmful, harmless);
        var norm = UnitVector.Norm(vector);
        return new(
            layer, vector, norm, harmful.Concat(harmless).Average(x => UnitVector.Norm(x)),
            norm == 0 ? null : Separation(harmful, harmless));
    }

    private static double[] Difference(double[][] harmful, double[][] harmless) =>
        [.. Mean(harmful).Zip(Mean(harmless), (x, y) => x - y)];

    /// <summary>Equal vectors have their own bits as their mean, so that no direction is made of rounding.</summary>
    private static double[] Mean(double[][] vectors)
    {
        var first = vectors[0];
        var mean = new double[first.Length];
        foreach (var vector in vectors)
        {
            for (var i = 0; i < mean.Length; i++)
            {
                mean[i] += vector[i] - first[i];
            }
        }

        for (var i = 0; i < mean.Length; i++)
        {
            mean[i] = first[i] + (mean[i] / vectors.Length);
        }

        return mean;
    }

    private static double? Separation(double[][] harmful, double[][] harmless)
    {
        if (Math.Min(harmful.Length, harmless.Length) < 4)
        {
            return null;
        }

        double[][] Half(double[][] all, int which) => [.. all.Where((_, i) => i % 2 == which)];
        return (OnOther(0) + OnOther(1)) / 2;

        double OnOther(int half)
        {
            var direction = Difference(Half(harmful, half), Half(harmless, half));
            double[] Along(double[][] all) => [.. Half(all, 1 - half).Select(x => UnitVector.Dot(x, direction))];
            var (bad, good) = (Along(harmful), Along(harmless));
            return bad.Average(x => good.Average(y => x > y ? 1.0 : x == y ? 0.5 : 0));
        }
    }
}
