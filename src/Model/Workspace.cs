using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>The tensors of one pass over N rows.</summary>
/// <param name="Batch">Tokens, positions, key ranges and targets.</param>
/// <param name="Activations">What forward writes.</param>
/// <param name="Head">The loss head's chunk.</param>
/// <param name="Scratch">Gradients of one block; null where there is no backward.</param>
public sealed record Pass(TokenBatch Batch, Activations Activations, HeadActivations Head, Scratch? Scratch)
{
    /// <summary>Gives each row its adapter, one of the model's <see cref="Llama.Choices"/>.</summary>
    /// <param name="ranges">All rows, in order.</param>
    public void Choose(IReadOnlyList<AdapterRange> ranges) => Batch.Chosen = new(ranges, Activations.ChosenU);
}

/// <summary>One allocation for passes of up to so many rows; a shorter pass uses the same memory.</summary>
public sealed class Workspace : IDisposable
{
    /// <summary>Passes kept for reuse, so that a steady step plans nothing.</summary>
    private const int KeptPasses = 32;

    private readonly Llama _model;
    private readonly bool _forBackward;
    private readonly Recompute _recompute;
    private readonly Storage _storage;
    private readonly DoubleBuffer _inbox;
    private readonly Dictionary<int, (Pass First, Pass Second)> _passes = [];

    /// <param name="maxRows">The most rows of a pass.</param>
    /// <param name="forBackward">Whether there is room for a backward pass.</param>
    /// <param name="recompute">What backward recomputes.</param>
    public Workspace(Llama model, int maxRows, bool forBackward, Recompute recompute = Recompute.Nothing)
    {
        (_model, MaxRows, _forBackward, _recompute) = (model, maxRows, forBackward, recompute);
        _storage = model.Backend.AllocateStorage(
            Planned(model.Backend, arena => Plan(arena, model, maxRows, forBackward, recompute)), "activations");
        _inbox = model.Backend.AllocateDoubleBuffer(BatchBytes(model, maxRows), "tokens");
    }

    public int MaxRows { get; }

    public long ByteCount => _storage.ByteCount + _inbox.ByteCount;

    /// <summary>All tensors of a pass but its batch.</summary>
    internal Storage Memory => _storage;

    /// <summary>The memory passes of so many rows need, in bytes, before any is allocated.</summary>
    public static long BytesFor(
        Llama model, int maxRows, bool forBackward, Recompute recompute = Recompute.Nothing) =>
        Planned(model.Backend, arena => Plan(arena, model, maxRows, forBackward, recompute))
        + (2 * BatchBytes(model, maxRows));

    /// <summary>
    /// A pass of exactly <paramref name="rows"/> rows; all passes share memory, so use one at a time. Two batches
    /// alternate, so that a device can copy one batch while it works on the other.
    /// </summary>
    public Pass For(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, MaxRows);
        if (!_passes.TryGetValue(rows, out var passes))
        {
            if (_passes.Count == KeptPasses)
            {
                _passes.Clear();
            }

            _passes[rows] = passes = LayOut(rows);
        }

        return _inbox.Swap() == _inbox.First ? passes.First : passes.Second;
    }

    public void Dispose()
    {
        _inbox.Dispose();
        _storage.Dispose();
    }

    private (Pass First, Pass Second) LayOut(int rows)
    {
        TokenBatch Batch(Storage block)
        {
            var tokens = new Arena(_model.Backend, "tokens");
            var batch = new TokenBatch(tokens, rows);
            tokens.CommitOver(block);
            return batch;
        }

        var arena = new Arena(_model.Backend, "activations");
        var (activations, head, scratch) = Plan(arena, _model, rows, _forBackward, _recompute);
        arena.CommitOver(_storage);
        return (
            new Pass(Batch(_inbox.First), activations, head, scratch),
            new Pass(Batch(_inbox.Second), activations, head, scratch));
    }

    private static long Planned(IBackend backend, Action<Arena> plan)
    {
        using var arena = new Arena(backend, "plan");
        plan(arena);
        return arena.ByteCount;
    }

    private static long BatchBytes(Llama model, int rows) =>
        Planned(model.Backend, arena => _ = new TokenBatch(arena, rows));

    private static (Activations Activations, HeadActivations Head, Scratch? Scratch) Plan(
        Arena arena, Llama model, int rows, bool forBackward, Recompute recompute)
    {
        var activations = new Activations(arena, model, rows, forBackward, recompute);
        var stream = forBackward ? arena.Take(new(rows, model.Config.HiddenSize), "d_stream") : null;
        var head = new HeadActivations(arena, model.Config, rows, forBackward);
        return (activations, head, stream is null ? null : new Scratch(arena, model, stream, head.Start));
    }
}
