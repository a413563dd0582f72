using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>The working tensors of the loss head: one chunk of rows, and the loss of every target.</summary>
/// <remarks>The chunk is needed before any block runs backward: <see cref="Scratch"/> lies over it.</remarks>
public sealed class HeadActivations
{
    private readonly HeadChunk _full;
    private readonly VectorParts _nllParts;
    private HeadChunk _last;

    internal HeadActivations(Arena arena, LlamaConfig c, int rows, bool forBackward)
    {
        ChunkRows = LossHead.ChunkRows(arena.Backend, c, rows);
        Nll = arena.Take(new(rows), arena.Backend.Accumulation, "nll");
        _nllParts = new VectorParts(Nll);
        Start = arena.Position;
        Tensor Take(int columns, string name) => arena.Take(new(ChunkRows, columns), name);
        _full = _last = new HeadChunk(
            arena.Take(new(ChunkRows, c.HiddenSize), arena.Backend.Accumulation, "head_hidden"),
            Take(c.HiddenSize, "head_normed"),
            arena.Take(new(ChunkRows), arena.Backend.Accumulation, "head_rstd"),
            Take(c.VocabularySize, "logits"),
            arena.Take(new(ChunkRows), arena.Backend.Accumulation, "logits_log_sum"),
            forBackward ? Take(c.HiddenSize, "d_head_normed") : null!,
            forBackward ? Take(c.HiddenSize, "d_head_hidden") : null!);
    }

    /// <summary>Where the chunk begins in its arena.</summary>
    internal long Start { get; }

    /// <summary>C: the most rows of a chunk.</summary>
    public int ChunkRows { get; }

    /// <summary>
    /// [N] the negative log-likelihood of each target, in nats, in the order of the batch's target rows.
    /// </summary>
    public Tensor Nll { get; }

    /// <summary>Some of <see cref="Nll"/>.</summary>
    internal Tensor NllAt(int first, int count) => _nllParts.At(first, count);

    /// <summary>The first <paramref name="rows"/> rows of the chunk.</summary>
    internal HeadChunk Chunk(int rows)
    {
        if (rows == ChunkRows)
        {
            return _full;
        }

        return _last.Logits.Rows == rows ? _last : _last = _full.Slice(rows);
    }
}

/// <summary>A chunk of C rows: [C, D] hidden, normed and their gradients, [C] statistics, [C, V] logits.</summary>
internal sealed record HeadChunk(
    Tensor Hidden, Tensor Normed, Tensor Rstd, Tensor Logits, Tensor LogSum, Tensor DNormed, Tensor DHidden)
{
    private Tensor? _dLogits;

    /// <summary>[C, V] ∂loss/∂logits, over the logits: an operand of products alone.</summary>
    /// <param name="type">The type of such operands.</param>
    public Tensor DLogits(DType type) =>
        type == Logits.Type ? Logits : _dLogits ??= Logits.Overlay(type);

    public HeadChunk Slice(int rows) => new(
        Hidden.Slice(0, rows),
        Normed.Slice(0, rows),
        Rstd.SliceVector(0, rows),
        Logits.Slice(0, rows),
        LogSum.SliceVector(0, rows),
        DNormed?.Slice(0, rows)!,
        DHidden?.Slice(0, rows)!);
}
