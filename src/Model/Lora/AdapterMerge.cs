using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>W′ = W + s · B A: an adapter folded into its base, so that any LLaMA runtime can use it.</summary>
public static class AdapterMerge
{
    /// <summary>Writes <c>model.safetensors</c>, every weight in the type it is stored in, one at a time.</summary>
    /// <returns>How many weights differ from the base after rounding.</returns>
    /// <exception cref="SafeLlamaException">
    /// The merge changes nothing: the adapter is zero, or smaller than the stored type resolves.
    /// </exception>
    public static int Write(LlamaWeights weights, LoraAdapter adapter, string path)
    {
        if (adapter.ChangesNothing)
        {
            throw SafeLlamaException.InvalidData("The adapter is zero everywhere: merging it would change nothing.");
        }

        var changed = 0;
        SafetensorsWriter.Write(
            path,
            LlamaShapes.Of(weights.Config).Select(shape =>
            {
                var value = weights[shape.Name].Value;
                var pair = adapter.Find(shape.Name.Replace(".weight", "", StringComparison.Ordinal));
                var plain = SafetensorsItem.Of(shape.Name, value, value.Type);
                return pair is null ? plain : plain with
                {
                    Parts = () => MergedParts(shape.Name, value, pair, whenChanged: () => changed++),
                };
            }),
            new Dictionary<string, string> { ["format"] = "pt" },
            accept: () =>
            {
                if (changed == 0)
                {
                    throw SafeLlamaException.InvalidData(
                        $"{path}: merging would change no weight: the update is smaller than "
                        + $"{weights[LlamaShapes.EmbeddingName].Value.Type} resolves.");
                }
            });
        return changed;
    }

    /// <summary>The merged weight, a few rows at a time.</summary>
    private static IEnumerable<byte[]> MergedParts(string name, Tensor weight, LoraFactors pair, Action whenChanged)
    {
        var (a, b, changed) = (pair.A.Value.ReadDoubles(), pair.B.Value.ReadDoubles(), false);
        foreach (var (first, rows) in SafetensorsItem.RowsOf(weight))
        {
            var values = rows.ReadDoubles();
            var plain = SafetensorsItem.Rounded(values, weight.Type);
            AddProduct(values, a, b.AsSpan(first * pair.Rank), weight.Columns, pair);
            var merged = SafetensorsItem.Rounded(values, weight.Type);
            if (NonFinite.First(merged, weight.Type) is { } place)
            {
                throw SafeLlamaException.InvalidData(
                    $"The merged '{name}' is not finite in {weight.Type} at element "
                    + $"{((long)first * weight.Columns) + place}: the update is too large for the type the base is "
                    + "stored in.");
            }

            changed |= !merged.AsSpan().SequenceEqual(plain);
            yield return merged;
        }

        if (changed)
        {
            whenChanged();
        }
    }

    /// <summary>Adds s · B A in fp64 to rows of W; rounding comes once, at the end.</summary>
    /// <param name="values">Rows of W, [rows, in], one after another.</param>
    /// <param name="b">B from the first of these rows on, [rows …, r].</param>
    internal static void AddProduct(
        Span<double> values, double[] a, ReadOnlySpan<double> b, int columns, LoraFactors pair)
    {
        for (var o = 0; o < values.Length / columns; o++)
        {
            for (var k = 0; k < pair.Rank; k++)
            {
                var factor = pair.Scale * b[(o * pair.Rank) + k];
                for (var i = 0; i < columns; i++)
                {
                    values[(o * columns) + i] += factor * a[(k * columns) + i];
                }
            }
        }
    }
}
