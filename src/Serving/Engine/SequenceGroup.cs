using System.Threading.Channels;

namespace SafeLlama.Serving;

/// <summary>The sequences of one request, as an engine works on them.</summary>
/// <remarks>Disposing it gives up what is not finished: the slots are free before the next token.</remarks>
public sealed class SequenceGroup : IDisposable
{
    private readonly Channel<SequenceUpdate> _updates =
        Channel.CreateUnbounded<SequenceUpdate>(new() { SingleReader = true });
    private readonly CancellationTokenSource _cancel;
    private int _open;

    internal SequenceGroup(int count, CancellationToken cancel)
    {
        _open = count;
        _cancel = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        Cancelled = _cancel.Token;
    }

    /// <summary>Set when nobody waits for the answers any more.</summary>
    internal CancellationToken Cancelled { get; }

    /// <summary>What becomes of the sequences, until all have ended.</summary>
    /// <exception cref="OperationCanceledException">The group was given up, or the engine stopped.</exception>
    /// <exception cref="Common.SafeLlamaException">The model's numbers are not finite.</exception>
    public IAsyncEnumerable<SequenceUpdate> Updates(CancellationToken cancel = default) =>
        _updates.Reader.ReadAllAsync(cancel);

    public void Dispose()
    {
        _cancel.Cancel();
        _cancel.Dispose();
    }

    internal void Tell(SequenceUpdate update)
    {
        _updates.Writer.TryWrite(update);
        if (update.End is not null && Interlocked.Decrement(ref _open) == 0)
        {
            _updates.Writer.TryComplete();
        }
    }

    internal void Fail(Exception fault) => _updates.Writer.TryComplete(fault);
}
