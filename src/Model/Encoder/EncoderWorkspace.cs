using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>One pass of an encoder: its inputs and outputs.</summary>
/// <param name="Scratch">Room for gradients; null where no backward follows.</param>
public sealed record EncoderPass(EncoderBatch Batch, EncoderActivations Activations, EncoderScratch? Scratch);

/// <summary>The memory of passes up to a size, allocated once; one pass at a time.</summary>
public sealed class EncoderWorkspace : IDisposable
{
    private readonly EncoderClassifier _model;
    private readonly Storage _storage;
    private readonly bool _forBackward;

    /// <param name="maxRows">The most tokens of a pass.</param>
    /// <param name="maxSequences">The most sequences of a pass.</param>
    public EncoderWorkspace(EncoderClassifier model, int maxRows, int maxSequences, bool forBackward)
    {
        (_model, MaxRows, MaxSequences, _forBackward) = (model, maxRows, maxSequences, forBackward);
        _storage = model.Backend.AllocateStorage(BytesFor(model, maxRows, maxSequences, forBackward), "activations");
    }

    public int MaxRows { get; }

    public int MaxSequences { get; }

    public long ByteCount => _storage.ByteCount;

    /// <summary>The bytes that passes of so many rows and sequences need, before any are allocated.</summary>
    public static long BytesFor(EncoderClassifier model, int maxRows, int maxSequences, bool forBackward)
    {
        using var arena = new Arena(model.Backend, "plan");
        Plan(arena, model, maxRows, maxSequences, forBackward);
        return arena.ByteCount;
    }

    /// <summary>No less than what ops keep for themselves in passes of so many rows, in bytes.</summary>
    public static long ScratchFor(EncoderClassifier model, int maxRows)
    {
        var c = model.Config;
        var rank = model.Adapter?.Pairs.Max(p => p.Rank) ?? 0;
        var work = new WorkSize(
            maxRows, Math.Min(model.MaxLength, maxRows), Math.Max(c.HiddenSize, c.IntermediateSize), c.Heads, c.Heads,
            c.HeadDim, rank, model.Adapter?.Config.Dropout > 0);
        return model.Backend.ScratchBytes(work with { Distances = 2 * c.DistanceSpan });
    }

    /// <summary>A pass of exactly so many rows and sequences; it uses the memory of the previous one.</summary>
    public EncoderPass For(int rows, int sequences)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, MaxRows);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sequences, MaxSequences);
        var arena = new Arena(_model.Backend, "activations");
        var pass = Plan(arena, _model, rows, sequences, _forBackward);
        arena.CommitOver(_storage);
        return pass;
    }

    public void Dispose() => _storage.Dispose();

    private static EncoderPass Plan(
        Arena arena, EncoderClassifier model, int rows, int sequences, bool forBackward) =>
        new(
            new(arena, rows, sequences), new(arena, model, rows, sequences, forBackward),
            forBackward ? new(arena, model, rows, sequences) : null);
}
