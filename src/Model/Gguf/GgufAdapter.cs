using SafeLlama.Common;

namespace SafeLlama.Model;

/// <summary>A LoRA adapter as a GGUF file of its own, for a base of the same shape.</summary>
/// <remarks>
/// llama.cpp adds scale · α / r · B A with each tensor's own r, or scale · B A where the file has no α. So α is left
/// out and B carries the scale: exact for every rank, α, pattern and rsLoRA. B of q and k is permuted like its weight,
/// A never. Everything is F32: rows of r fit no block.
/// </remarks>
public static class GgufAdapter
{
    /// <param name="name"><c>general.name</c>.</param>
    public static void Write(LoraAdapter adapter, LlamaConfig config, string name, string path)
    {
        if (adapter.ChangesNothing)
        {
            throw SafeLlamaException.InvalidData("The adapter is zero everywhere: it would change nothing.");
        }

        if (adapter.Config.Variant == LoraVariant.Dora)
        {
            throw SafeLlamaException.Usage(
                "This is a DoRA adapter: a GGUF adapter has no place for its magnitudes.",
                "export the model with the adapter folded in");
        }

        GgufWriter.Write(
            path,
            [
                ("general.type", "adapter"),
                ("general.architecture", "llama"),
                ("general.name", name),
                ("adapter.type", "lora"),
            ],
            [.. adapter.Pairs.SelectMany(pair => Items(pair, config))]);
    }

    private static IEnumerable<GgufItem> Items(LoraFactors pair, LlamaConfig config)
    {
        var weight = $"{pair.Module}.weight";
        var name = GgufNames.Of(weight);
        var (a, b) = (pair.StoredA, pair.StoredB);
        yield return GgufItem.OfFloats(
            name + ".lora_a", [a.Rows, a.Columns], Array.ConvertAll(a.ReadDoubles(), value => (float)value));
        var scaled = Array.ConvertAll(b.ReadDoubles(), value => (float)(pair.Scale * value));
        yield return GgufItem.OfFloats(
            name + ".lora_b",
            [b.Rows, b.Columns],
            GgufNames.PermutedHeads(config, weight) > 0
                ? HeadPermutation.ToFile<float>(scaled, b.Columns, config.HeadDim)
                : scaled);
    }
}
