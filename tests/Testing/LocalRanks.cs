using System.Collections.Concurrent;
using SafeLlama.Common;
using SafeLlama.Distributed;

namespace SafeLlama.Testing;

/// <summary>Ranks that are threads of this process: messages are handed over in memory.</summary>
public sealed class LocalRanks : ICommunicator
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<(int From, int To, Channel Channel), BlockingCollection<byte[]>> _queues;

    private readonly CancellationToken _failed;

    private LocalRanks(
        int rank, int size, ConcurrentDictionary<(int, int, Channel), BlockingCollection<byte[]>> queues,
        CancellationToken failed) =>
        (Rank, Size, _queues, _failed) = (rank, size, queues, failed);

    public int Rank { get; }

    public int Size { get; }

    public IReadOnlyList<RankPlace> Places => [.. Enumerable.Range(0, Size).Select(r => new RankPlace($"host{r}", r))];

    public bool OutlivesRanks { get; set; }

    /// <summary>Does work on every rank at once and returns what each returned, by rank. Once one fails, none waits for
    /// a message any more.</summary>
    public static T[] Run<T>(int size, Func<ICommunicator, T> work)
    {
        var queues = new ConcurrentDictionary<(int, int, Channel), BlockingCollection<byte[]>>();
        var results = new T[size];
        var errors = new ConcurrentQueue<Exception>();
        using var failed = new CancellationTokenSource();
        var threads = Enumerable.Range(0, size).Select(rank => new Thread(() =>
        {
            try
            {
                using var mine = new LocalRanks(rank, size, queues, failed.Token);
                results[rank] = work(mine);
            }
            catch (Exception e)
            {
                errors.Enqueue(e);
                failed.Cancel();
            }
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        return errors.TryDequeue(out var first) ? throw first : results;
    }

    public bool IsLost(int rank) => false;

    public void Send(int to, ReadOnlySpan<byte> bytes, Channel channel = Channel.Work) =>
        Queue(Rank, to, channel).Add(bytes.ToArray());

    public void Receive(int from, Span<byte> bytes, Channel channel = Channel.Work)
    {
        var message = Queue(from, Rank, channel).TryTake(out var taken, (int)Limit.TotalMilliseconds, _failed) ? taken
            : throw new TimeoutException($"rank {Rank} waited for rank {from}");
        Assert.That(message, Has.Length.EqualTo(bytes.Length), $"from {from} to {Rank}");
        message.CopyTo(bytes);
    }

    public Incoming ReceiveLater(int from, int byteCount, Channel channel = Channel.Work) =>
        new Later(Queue(from, Rank, channel));

    public void Abort(ExitCode code, string line) => throw new SafeLlamaException(code, line);

    public void Dispose()
    {
    }

    private BlockingCollection<byte[]> Queue(int from, int to, Channel channel) =>
        _queues.GetOrAdd((from, to, channel), _ => []);

    private sealed class Later(BlockingCollection<byte[]> queue) : Incoming
    {
        private byte[]? _bytes;

        public override bool IsReady => _bytes is not null || queue.TryTake(out _bytes);

        public override ReadOnlySpan<byte> Bytes => _bytes;
    }
}
