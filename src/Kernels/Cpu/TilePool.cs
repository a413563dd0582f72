using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace SafeLlama.Kernels;

/// <summary>Computes one tile.</summary>
/// <param name="op">The operands of the op, common to all tiles.</param>
/// <param name="tile">Which one.</param>
public delegate void TileBody<TOp>(in TOp op, int tile);

/// <summary>Runs the tiles of one op on all threads, the caller's included.</summary>
/// <remarks>
/// A counter assigns tiles, so a slow or absent worker delays nothing: the caller waits only for workers that entered.
/// The result of a tile must not depend on its thread; then any number of threads gives the same bytes. Workers spin
/// for a moment between ops and then sleep. Nothing is allocated for an op whose body is a static lambda: its operands
/// are on the caller's stack while the workers read them.
/// </remarks>
public sealed unsafe class TilePool : IDisposable
{
    /// <summary>
    /// Turns of waiting before a worker sleeps: about 100 µs, longer than what the caller does alone between two ops
    /// of a step.
    /// </summary>
    private const int SpinsBeforeSleep = 1500;

    /// <summary>The pool whose worker this thread is.</summary>
    [ThreadStatic]
    private static TilePool? _workedFor;

    private readonly Worker[] _workers;
    private readonly Job _job = new();
    private volatile int _jobsGiven;
    private volatile bool _stop;

    /// <param name="threads">How many threads work, the caller's included; at least 1.</param>
    public TilePool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        _workers = new Worker[threads - 1];
        for (var i = 0; i < _workers.Length; i++)
        {
            var worker = _workers[i] = new Worker();
            new Thread(() => Work(worker)) { IsBackground = true, Name = $"tile worker {i + 1}" }.Start();
        }
    }

    public int Threads => _workers.Length + 1;

    /// <summary>
    /// Runs <paramref name="body"/> once for each tile 0 … <paramref name="tiles"/> − 1, in any order, and returns
    /// when all are done. One op at a time.
    /// </summary>
    /// <exception cref="InvalidOperationException">A tile of another op calls it, or another thread's op
    /// runs.</exception>
    public void For<TOp>(int tiles, in TOp op, TileBody<TOp> body)
    {
        if (_workers.Length == 0 || tiles <= 1)
        {
            for (var tile = 0; tile < tiles; tile++)
            {
                body(in op, tile);
            }

            return;
        }

        if (_workedFor == this)
        {
            // The caller may have closed the job, and waits for this thread: opened anew, both would wait for ever.
            throw Job.Nested();
        }

        var operands = op;
        _job.Open(tiles, body, Unsafe.AsPointer(ref operands), &RunTiles<TOp>);
        _jobsGiven++;
        Interlocked.MemoryBarrier();
        foreach (var worker in _workers)
        {
            if (Volatile.Read(ref worker.Asleep) == 1 && Interlocked.Exchange(ref worker.Asleep, 0) == 1)
            {
                worker.Release();
            }
        }

        try
        {
            RunTiles<TOp>(_job);
        }
        finally
        {
            _job.Close();
        }

        _job.Rethrow();
    }

    /// <summary>For an op that keeps its operands itself: <paramref name="body"/> is made once, with the op.</summary>
    public void For(int tiles, Action<int> body) => For(tiles, body, static (in run, tile) => run(tile));

    public void Dispose()
    {
        _stop = true;
        foreach (var worker in _workers)
        {
            worker.Release();
        }
    }

    private void Work(Worker worker)
    {
        _workedFor = this;
        var seen = 0;
        while (!_stop)
        {
            var spins = 0;
            int given;
            while ((given = _jobsGiven) == seen)
            {
                if (_stop)
                {
                    return;
                }

                if (++spins < SpinsBeforeSleep)
                {
                    Thread.SpinWait(8);
                    continue;
                }

                Volatile.Write(ref worker.Asleep, 1);
                Interlocked.MemoryBarrier();
                var nothingNew = _jobsGiven == seen && !_stop;
                if (nothingNew || Interlocked.Exchange(ref worker.Asleep, 0) == 0)
                {
                    worker.Wait();
                }

                spins = 0;
            }

            seen = given;
            _job.Enter();
        }
    }

    private static void RunTiles<TOp>(Job job)
    {
        var body = Unsafe.As<TileBody<TOp>>(job.Body);
        ref var op = ref Unsafe.AsRef<TOp>(job.Operands);
        for (var tile = job.Take(); tile < job.Tiles; tile = job.Take())
        {
            body(in op, tile);
        }
    }

    /// <summary>Where a worker sleeps: Wait blocks it, and Release wakes it.</summary>
    private sealed class Worker() : SemaphoreSlim(0)
    {
        public int Asleep;
    }

    /// <summary>
    /// What the threads work on; opened for one op after the other. A late worker finds it closed or open for the next
    /// op; both are correct.
    /// </summary>
    private sealed class Job
    {
        private delegate*<Job, void> _run;
        private int _next;
        private int _active;
        private int _open;
        private Exception? _error;

        public int Tiles { get; private set; }

        /// <summary>A <see cref="TileBody{TOp}"/>.</summary>
        public Delegate Body { get; private set; } = null!;

        /// <summary>The op's operands, on the caller's stack: they stay there until <see cref="Close"/>.</summary>
        public void* Operands { get; private set; }

        /// <summary>No worker is inside: the caller of the last op waited until all had left.</summary>
        public void Open(int tiles, Delegate body, void* operands, delegate*<Job, void> run)
        {
            if (_open == 1)
            {
                throw Nested();
            }

            (Tiles, Body, _next, _error) = (tiles, body, -1, null);
            Operands = operands;
            _run = run;
            Volatile.Write(ref _open, 1);
        }

        public static InvalidOperationException Nested() =>
            new("A pool runs one op at a time, and no op inside another's tile.");

        public int Take() => Interlocked.Increment(ref _next);

        /// <summary>A worker joins, unless the caller has already finished everything.</summary>
        public void Enter()
        {
            Interlocked.Increment(ref _active);
            try
            {
                if (Volatile.Read(ref _open) == 1)
                {
                    _run(this);
                }
            }
            catch (Exception e)
            {
                // An exception of a worker reaches the caller through Rethrow.
                _error = e;
            }
            finally
            {
                Interlocked.Decrement(ref _active);
            }
        }

        /// <summary>Admits no further worker and waits for those inside.</summary>
        public void Close()
        {
            Interlocked.Exchange(ref _open, 0);
            for (var spins = 0; Volatile.Read(ref _active) != 0; spins++)
            {
                if (spins < 2000)
                {
                    Thread.SpinWait(4);
                }
                else
                {
                    Thread.Yield();
                }
            }
        }

        public void Rethrow()
        {
            if (_error is { } error)
            {
                ExceptionDispatchInfo.Throw(error);
            }
        }
    }
}
