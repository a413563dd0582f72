using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>What one pass over N rows works in.</summary>
/// <param name="Batch">Tokens, positions, key ranges and targets.</param>
/// <param name="Activations">What forward writes.</param>
/// <param name="Head">The loss head's chunk.</param>
/// <param name="Scratch">Gradients of one block; null where there is no backward.</param>
public sealed record Pass(TokenBatch Batch, Activations Activations, HeadActivations Head, Scratch? Scratch);

/// <summary>One allocation for passes of up to so many rows; a shorter pass is laid over the same memory.</summary>
public sealed class Workspace : IDisposable
{
    /// <summary>Passes kept at hand, so that a steady step plans nothing anew.</summary>
    private const int KeptPasses = 32;

    private readonly Llama _model;
    private readonly bool _forBackward;
    private readonly Recompute _recompute;
    private readonly Storage _storage;
    private readonly Dictionary<int, Pass> _passes = [];

    /// <param name="maxRows">The most rows of a pass.</param>
    /// <param name="forBackward">Whether there is room for a backward pass.</param>
    /// <param name="recompute">What that backward finds kept, and what it computes again.</param>
    public Workspace(Llama model, int maxRows, bool forBackward, Recompute recompute = Recompute.Nothing)
    {
        (_model, MaxRows, _forBackward, _recompute) = (model, maxRows, forBackward, recompute);
        _storage = model.Backend.AllocateStorage(BytesFor(model, maxRows, forBackward, recompute), "activations");
    }

    public int MaxRows { get; }

    public long ByteCount => _storage.ByteCount;

    /// <summary>The memory passes of so many rows need, in bytes, before any is allocated.</summary>
    public static long BytesFor(
        Llama model, int maxRows, bool forBackward, Recompute recompute = Recompute.Nothing)
    {
        using var arena = new Arena(model.Backend, "activations");
        Plan(arena, model, maxRows, forBackward, recompute);
        return arena.ByteCount;
    }

    /// <summary>
    /// A pass of exactly <paramref name="rows"/> rows; it and the ones before it share memory, so use one at a time.
    /// </summary>
    public Pass For(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, MaxRows);
        if (_passes.TryGetValue(rows, out var known))
        {
            return known;
        }

        if (_passes.Count == KeptPasses)
        {
            _passes.Clear();
        }

        var arena = new Arena(_model.Backend, "activations");
        var pass = Plan(arena, _model, rows, _forBackward, _recompute);
        arena.CommitOver(_storage);
        return _passes[rows] = pass;
    }

    public void Dispose() => _storage.Dispose();

    private static Pass Plan(Arena arena, Llama model, int rows, bool forBackward, Recompute recompute) => new(
        new TokenBatch(arena, rows),
        new Activations(arena, model, rows, forBackward, recompute),
        new HeadActivations(arena, model.Config, rows, forBackward),
        forBackward ? new Scratch(arena, model, rows) : null);
}
