using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Inference;

/// <summary>
/// The keys and values of all tokens read so far: S sequences of up to L tokens, one pair of tensors per layer.
/// </summary>
public sealed class KeyValueCache : IDisposable
{
    private readonly Arena _arena;

    /// <param name="sequences">S.</param>
    /// <param name="length">L, in tokens.</param>
    public KeyValueCache(IBackend backend, LlamaConfig config, int sequences, int length)
    {
        (Sequences, Length) = (sequences, length);
        _arena = new Arena(backend, "key/value cache");
        Layers = LayOut(_arena, config, sequences, length);
        _arena.Commit();
    }

    public int Sequences { get; }

    /// <summary>L: the most tokens a sequence may have.</summary>
    public int Length { get; }

    public IReadOnlyList<LayerCache> Layers { get; }

    public long ByteCount => _arena.ByteCount;

    /// <summary>The memory of a cache, in bytes, before any is allocated.</summary>
    public static long BytesFor(IBackend backend, LlamaConfig config, int sequences, int length)
    {
        using var arena = new Arena(backend, "plan");
        LayOut(arena, config, sequences, length);
        return arena.ByteCount;
    }

    /// <summary>The row of a sequence's token at a position.</summary>
    public int Row(int sequence, int position) => (sequence * Length) + position;

    public void Dispose() => _arena.Dispose();

    private static LayerCache[] LayOut(Arena arena, LlamaConfig config, int sequences, int length)
    {
        var shape = new Shape(checked(sequences * length), config.KeyValueHeads * config.HeadDim);
        return [.. Enumerable.Range(0, config.Layers).Select(layer => new LayerCache(
            arena.Take(shape, $"keys.{layer}"), arena.Take(shape, $"values.{layer}")))];
    }
}
