using System.Diagnostics;

namespace SafeLlama.Distributed;

/// <summary>A thread that sends signs of life and listens for them: workers and rank 0 watch each other.</summary>
/// <remarks>
/// It also carries errors to rank 0, and the end: no rank leaves MPI while another still needs it.
/// </remarks>
internal sealed class Watchdog
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(500);

    private readonly MpiWorld _world;
    private readonly Peer[] _peers;
    private readonly TimeSpan _silence;
    private readonly Thread _thread;
    private volatile bool _leaving;

    /// <param name="peers">Whom this rank watches.</param>
    public Watchdog(MpiWorld world, IEnumerable<int> peers, TimeSpan silence)
    {
        (_world, _silence) = (world, silence);
        _peers = [.. peers.Select(rank => new Peer(rank, Listen(rank)))];
        _thread = new Thread(Watch) { IsBackground = true, Name = "watchdog" };
    }

    /// <summary>A rank has been silent for too long.</summary>
    public required Action<int> Lost { get; init; }

    /// <summary>A rank has told of its failure: rank, exit code, why.</summary>
    public required Action<int, ControlMessage> Failed { get; init; }

    /// <summary>Whether rank 0 has said that ranks were lost: MPI cannot end in order then.</summary>
    public bool SomeAreLost { get; private set; }

    public void Start() => _thread.Start();

    public bool IsLost(int rank) => Array.Exists(_peers, p => p.Rank == rank && p.IsLost);

    /// <summary>Returns when every rank that lives has called it.</summary>
    public void Leave()
    {
        _leaving = true;
        _thread.Join();
    }

    private MpiMessage Listen(int rank) =>
        MpiMessage.Receive(_world, ControlMessage.ByteCount, rank, Channel.Control);

    private void Watch()
    {
        var last = Stopwatch.GetTimestamp();
        while (true)
        {
            // A process that was stopped and goes on must not take its own silence for that of others.
            var slept = Stopwatch.GetElapsedTime(last) > Beat * 4;
            last = Stopwatch.GetTimestamp();
            foreach (var peer in _peers.Where(p => !p.IsLost))
            {
                peer.Heard = slept ? last : peer.Heard;
                try
                {
                    Hear(peer);
                    Speak(peer);
                }
                catch (MpiException)
                {
                    Lose(peer);
                }
            }

            if (_leaving && _peers.All(p => p.IsLost || (p.HasLeft && p.Farewell is { IsReady: true })))
            {
                SomeAreLost |= _peers.Any(p => p.IsLost);
                return;
            }

            Thread.Sleep(Pause);
        }
    }

    private void Hear(Peer peer)
    {
        while (!peer.HasLeft && peer.Next.IsReady)
        {
            var message = ControlMessage.Read(peer.Next.Bytes);
            peer.Heard = Stopwatch.GetTimestamp();
            if (message.Kind == ControlKind.Done)
            {
                peer.HasLeft = true;
                SomeAreLost |= message.Code > 0;
                return;
            }

            peer.Next = Listen(peer.Rank);
            if (message.Kind == ControlKind.Failed)
            {
                Failed(peer.Rank, message);
            }
        }

        if (!peer.HasLeft && Stopwatch.GetElapsedTime(peer.Heard) > Limit)
        {
            Lose(peer);
        }
    }

    private void Speak(Peer peer)
    {
        if (peer.IsLost || peer.Farewell is not null || peer.Sent is { IsReady: false })
        {
            return;
        }

        // Rank 0 lets the others go when all have done their work.
        if (_leaving && (_world.Rank != 0 || _peers.All(p => p.IsLost || p.HasLeft)))
        {
            peer.Farewell = Tell(peer, new(ControlKind.Done, _peers.Count(p => p.IsLost)));
        }
        else if (Stopwatch.GetElapsedTime(peer.Spoken) > Beat)
        {
            peer.Sent = Tell(peer, new(ControlKind.Alive));
            peer.Spoken = Stopwatch.GetTimestamp();
        }
    }

    private MpiMessage Tell(Peer peer, ControlMessage message) =>
        MpiMessage.Send(_world, message.ToBytes(), peer.Rank, Channel.Control);

    /// <summary>Ranks do not all speak at once when rank 0 is silent: the first ends the others.</summary>
    private TimeSpan Limit => _silence + TimeSpan.FromMilliseconds(Math.Clamp(_world.Rank - 1, 0, 4) * 300);

    private void Lose(Peer peer)
    {
        peer.IsLost = true;
        try
        {
            // Should it wake up, it must not go on with what others do meanwhile.
            Tell(peer, new(ControlKind.Failed, 1));
        }
        catch (MpiException)
        {
            // It will not.
        }

        Lost(peer.Rank);
    }

    private sealed class Peer(int rank, MpiMessage next)
    {
        public int Rank => rank;

        public MpiMessage Next { get; set; } = next;

        public MpiMessage? Sent { get; set; }

        public MpiMessage? Farewell { get; set; }

        public long Heard { get; set; } = Stopwatch.GetTimestamp();

        public long Spoken { get; set; } = Stopwatch.GetTimestamp();

        public bool HasLeft { get; set; }

        public volatile bool IsLost;
    }
}
