using System.Runtime.CompilerServices;
using System.Threading.Channels;
using SafeLlama.Serving;

namespace SafeLlama.Lab;

/// <summary>One computation at a time; a bounded number waits, and one that nobody waits for is stopped.</summary>
/// <param name="mostWaiting">Computations that may wait; beyond, requests get status 429.</param>
internal sealed class ComputeGate(int mostWaiting) : IAsyncDisposable
{
    private readonly SemaphoreSlim _one = new(1);
    private readonly CancellationTokenSource _closing = new();
    private int _waiting;
    private int _running;

    public int Waiting => Volatile.Read(ref _waiting);

    public int Running => Volatile.Read(ref _running);

    /// <summary>Runs <paramref name="work"/> and gives what it tells, as it tells it.</summary>
    /// <param name="work">It stops when its token says so. A slow reader does not hold it up.</param>
    /// <param name="waits">What is told first where another computation must end before; null to tell nothing.</param>
    /// <exception cref="ApiException">Too many wait.</exception>
    public async IAsyncEnumerable<T> Stream<T>(
        Action<Action<T>, CancellationToken> work, [EnumeratorCancellation] CancellationToken cancel,
        Func<T>? waits = null)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, _closing.Token);
        LineUp();
        try
        {
            if (waits is not null && _one.CurrentCount == 0)
            {
                yield return waits();
            }

            await Enter(either.Token);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }

        var told = Channel.CreateUnbounded<T>(new() { SingleReader = true, SingleWriter = true });
        var running = Task.Run(
            () =>
            {
                try
                {
                    work(value => told.Writer.TryWrite(value), either.Token);
                    told.Writer.Complete();
                }
                catch (Exception e)
                {
                    told.Writer.Complete(e);
                }
                finally
                {
                    Leave();
                }
            },
            CancellationToken.None);
        try
        {
            await foreach (var value in told.Reader.ReadAllAsync(either.Token))
            {
                yield return value;
            }
        }
        finally
        {
            await either.CancelAsync();
            await running;
        }
    }

    /// <summary>Runs <paramref name="work"/> and gives its result.</summary>
    /// <exception cref="ApiException">Too many wait.</exception>
    public async Task<T> Run<T>(Func<CancellationToken, T> work, CancellationToken cancel)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, _closing.Token);
        LineUp();
        try
        {
            await Enter(either.Token);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }

        try
        {
            return await Task.Run(() => work(either.Token), CancellationToken.None);
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>Tells what runs and what waits to stop.</summary>
    public Task Stop() => _closing.CancelAsync();

    /// <summary>Stops what runs and waits for its end.</summary>
    public async ValueTask DisposeAsync()
    {
        await Stop();
        await _one.WaitAsync();
        _one.Dispose();
        _closing.Dispose();
    }

    private void LineUp()
    {
        if (Interlocked.Increment(ref _waiting) > mostWaiting + 1)
        {
            Interlocked.Decrement(ref _waiting);
            throw new ApiException(429, $"{mostWaiting} computations wait already; ask again in a moment.");
        }
    }

    private async Task Enter(CancellationToken cancel)
    {
        await _one.WaitAsync(cancel);
        Interlocked.Increment(ref _running);
    }

    private void Leave()
    {
        Interlocked.Decrement(ref _running);
        _one.Release();
    }
}
