using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Distributed;

/// <summary>Pieces of work that do not know of each other, dealt out by rank 0 to whoever is free; it works
/// too.</summary>
/// <remarks>
/// A lost rank's pieces are done again by others, where the launcher lets those live. The pieces of a failed rank are
/// not: an error ends all, as on one machine.
/// </remarks>
/// <typeparam name="T">What a piece results in; crosses ranks as JSON.</typeparam>
public sealed class WorkDealer<T>
{
    private const int Finished = -1;
    private const int Wait = -2;

    /// <summary>More threads than this wait for each other.</summary>
    private const int MostThreads = 1024;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan Idle = TimeSpan.FromMilliseconds(100);

    private readonly ICommunicator _ranks;
    private readonly Func<int, T> _work;
    private readonly Lock _lock = new();
    private readonly LinkedList<int> _left = new();
    private readonly List<Exception> _errors = [];
    private int _undone;
    private bool _workerIsDone;

    /// <param name="work">Does a piece, by its number.</param>
    public WorkDealer(ICommunicator ranks, Func<int, T> work) => (_ranks, _work) = (ranks, work);

    /// <summary>On rank 0: takes in what a piece resulted in; one piece at a time, in any order.</summary>
    public required Action<int, T> Done { get; init; }

    /// <summary>On rank 0: a lost rank's piece is about to be done again.</summary>
    public Action<int> Again { get; init; } = _ => { };

    /// <summary>Returns when all pieces are done; on other ranks, when there is no more for them.</summary>
    /// <param name="count">Pieces in all; only rank 0's counts.</param>
    /// <param name="parallel">How many this rank does side by side.</param>
    /// <exception cref="OperationCanceledException">It was asked to stop.</exception>
    public void Run(int count, int parallel, CancellationToken cancellation)
    {
        var dealer = StartDealing(count);
        var threads = Enumerable.Range(1, Math.Clamp(parallel - 1, 0, MostThreads))
            .Select(_ => new Thread(() => Loop(cancellation))).ToList();
        threads.ForEach(t => t.Start());
        Loop(cancellation);
        threads.ForEach(t => t.Join());
        dealer?.Join();
        if (_errors.Count > 0)
        {
            var told = _errors.Find(e => e is SafeLlamaException or OperationCanceledException) ?? _errors[0];
            ExceptionDispatchInfo.Throw(told);
        }
    }

    private Thread? StartDealing(int count)
    {
        if (!_ranks.IsFirst())
        {
            return null;
        }

        _undone = count;
        for (var piece = 0; piece < count; piece++)
        {
            _left.AddLast(piece);
        }

        if (_ranks.Size == 1)
        {
            return null;
        }

        _ranks.OutlivesRanks = true;
        var dealer = new Thread(() => Guarded(Deal)) { IsBackground = true, Name = "dealer" };
        dealer.Start();
        return dealer;
    }

    private bool HasFailed
    {
        get
        {
            lock (_errors)
            {
                return _errors.Count > 0;
            }
        }
    }

    /// <summary>One worker of this rank.</summary>
    private void Loop(CancellationToken cancellation) => Guarded(() =>
    {
        int? done = null;
        var result = default(T);
        while (!HasFailed)
        {
            cancellation.ThrowIfCancellationRequested();
            var next = _ranks.IsFirst() ? Take(done, result) : Ask(done, result);
            (done, result) = (null, default);
            if (next == Finished)
            {
                return;
            }

            if (next == Wait)
            {
                Thread.Sleep(Idle);
                continue;
            }

            (done, result) = (next, _work(next));
        }
    });

    private void Guarded(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e)
        {
            lock (_errors)
            {
                _errors.Add(e);
            }
        }
    }

    /// <summary>On rank 0: takes in a result, and gives the next piece.</summary>
    private int Take(int? done, T? result)
    {
        lock (_lock)
        {
            if (done is { } piece)
            {
                Done(piece, result!);
                _undone--;
            }

            if (_left.First is not { } first)
            {
                return _undone == 0 ? Finished : Wait;
            }

            _left.RemoveFirst();
            return first.Value;
        }
    }

    /// <summary>On another rank: the same, by two messages there and one back.</summary>
    private int Ask(int? done, T? result)
    {
        lock (_lock)
        {
            if (_workerIsDone)
            {
                return Finished;
            }

            var bytes = done is null ? [] : JsonSerializer.SerializeToUtf8Bytes(result, Json.Message);
            Span<int> header = [done ?? -1, bytes.Length];
            _ranks.Send(0, MemoryMarshal.AsBytes(header), Channel.Dealing);
            if (done is not null)
            {
                _ranks.Send(0, bytes, Channel.Dealing);
            }

            Span<int> next = [0];
            _ranks.Receive(0, MemoryMarshal.AsBytes(next), Channel.Dealing);
            _workerIsDone = next[0] == Finished;
            return next[0];
        }
    }

    /// <summary>On rank 0: answers the other ranks until each has been told that all is done.</summary>
    private void Deal()
    {
        var workers = Enumerable.Range(1, _ranks.Size - 1).ToDictionary(rank => rank, Listen);
        var held = workers.Keys.ToDictionary(rank => rank, _ => new HashSet<int>());
        while (workers.Count > 0 && !HasFailed)
        {
            foreach (var (rank, request) in workers.ToList())
            {
                try
                {
                    if (_ranks.IsLost(rank))
                    {
                        throw new RankLostException(rank);
                    }

                    if (request.IsReady)
                    {
                        workers[rank] = Answer(rank, request, held[rank]) == Finished ? null! : Listen(rank);
                    }
                }
                catch (RankLostException)
                {
                    GiveBack(held[rank]);
                    workers[rank] = null!;
                }

                if (workers[rank] is null)
                {
                    workers.Remove(rank);
                }
            }

            Thread.Sleep(Pause);
        }
    }

    private Incoming Listen(int rank) => _ranks.ReceiveLater(rank, 2 * sizeof(int), Channel.Dealing);

    private int Answer(int rank, Incoming request, HashSet<int> held)
    {
        var header = MemoryMarshal.Cast<byte, int>(request.Bytes);
        var (piece, length) = (header[0], header[1]);
        var (done, result) = ((int?)null, default(T));
        if (piece >= 0)
        {
            var bytes = new byte[length];
            _ranks.Receive(rank, bytes, Channel.Dealing);
            (done, result) = (piece, JsonSerializer.Deserialize<T>(bytes, Json.Message));
            held.Remove(piece);
        }

        Span<int> next = [Take(done, result)];
        if (next[0] >= 0)
        {
            held.Add(next[0]);
        }

        _ranks.Send(rank, MemoryMarshal.AsBytes(next), Channel.Dealing);
        return next[0];
    }

    private void GiveBack(HashSet<int> pieces)
    {
        lock (_lock)
        {
            foreach (var piece in pieces.OrderDescending())
            {
                Again(piece);
                _left.AddFirst(piece);
            }
        }
    }
}
