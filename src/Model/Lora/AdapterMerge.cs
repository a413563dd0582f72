using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>
/// Merges an adapter into its base, W′ = W + s · B A or the formula of its variant, so that any LLaMA runtime can use
/// it.
/// </summary>
public static class AdapterMerge
{
    /// <summary>Writes <c>model.safetensors</c>, every weight in the type it is stored in, one at a time.</summary>
    /// <param name="others">Tensors written beside them, as they are.</param>
    /// <returns>How many weights differ from the base after rounding.</returns>
    /// <exception cref="SafeLlamaException">
    /// The merge changes nothing: the adapter is zero, or smaller than the stored type resolves.
    /// </exception>
    public static int Write(
        LlamaWeights weights, LoraAdapter adapter, string path, params IEnumerable<SafetensorsItem> others) =>
        Write(weights, adapter, path, type: null, new Requantized(), others);

    /// <param name="type">How every weight is stored; null for the type that it has.</param>
    /// <param name="requantized">Learns what quantizing would do to the update, where the base is quantized.</param>
    internal static int Write(
        LlamaWeights weights, LoraAdapter adapter, string path, DType? type, Requantized requantized,
        IEnumerable<SafetensorsItem> others)
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
                var factors = adapter.Find(shape.Name.Replace(".weight", "", StringComparison.Ordinal));
                var plain = SafetensorsItem.Of(shape.Name, value, type ?? value.Type);
                return factors is null ? plain : plain with
                {
                    Parts = () => MergedParts(plain, value, factors, requantized, whenChanged: () => changed++),
                };
            }).Concat(others),
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

    /// <summary>The merged weight, a few rows at a time, in the type the base is stored in.</summary>
    private static IEnumerable<byte[]> MergedParts(
        SafetensorsItem item, Tensor weight, LoraFactors factors, Requantized requantized, Action whenChanged)
    {
        var (name, type, merge, changed) = (item.Name, item.Type, factors.Merger(), false);
        foreach (var (first, rows) in SafetensorsItem.RowsOf(weight))
        {
            var values = rows.ReadDoubles();
            var plain = SafetensorsItem.Rounded(values, type);
            var before = weight.Type == DType.Blocks ? [.. values] : Array.Empty<double>();
            merge(first, values);
            if (before.Length > 0)
            {
                requantized.Add(name, weight.Format, before, values);
            }

            var merged = SafetensorsItem.Rounded(values, type);
            if (NonFinite.First(merged, type) is { } place)
            {
                throw SafeLlamaException.InvalidData(
                    $"The merged '{name}' is not finite in {type} at element "
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
}
