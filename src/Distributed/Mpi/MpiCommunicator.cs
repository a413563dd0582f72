using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using SafeLlama.Common;

namespace SafeLlama.Distributed;

/// <summary>Ranks that MPI's launcher has started.</summary>
public sealed unsafe class MpiCommunicator : ICommunicator
{
    /// <summary>The most bytes of one message of MPI, whose counts are C ints.</summary>
    private const int MessageBytes = 1 << 30;

    /// <summary>Time for the other ranks to end by themselves, and for words to reach the user.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromMilliseconds(300);

    /// <summary>SIGUSR1 on Linux.</summary>
    private const int UserSignal = 10;

    /// <summary>How long a failed rank waits to be ended before it speaks itself.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly MpiWorld _world;
    private readonly Watchdog _watchdog;
    private readonly RankLimits _limits;
    private readonly Action<string> _tell;
    private readonly PosixSignalRegistration? _deathNotice;
    private int _aborting;

    private MpiCommunicator(MpiWorld world, RankLimits limits, Action<string> tell)
    {
        (_world, _limits, _tell) = (world, limits, tell);
        Places = [.. Enumerable.Range(0, world.Size).Select(_ => new RankPlace(Environment.MachineName, 0))];
        _watchdog = new Watchdog(world, Rank == 0 ? Enumerable.Range(1, Size - 1) : [0], limits.Silence)
        {
            Lost = Lose,
            Failed = Fail,
        };
        // MPICH's launcher tells of a death so, which would end this process before it could say anything.
        _deathNotice = OperatingSystem.IsWindows() ? null
            : PosixSignalRegistration.Create((PosixSignal)UserSignal, context => context.Cancel = true);
        _watchdog.Start();
        var mine = $"{Environment.MachineName}\n{Environment.ProcessId}";
        var all = this.Gather(Encoding.UTF8.GetBytes(mine)).Select(Encoding.UTF8.GetString).ToArray();
        Places = [.. this.Broadcast(all).Select(text => text.Split('\n')).Select(parts =>
            new RankPlace(parts[0], int.Parse(parts[1], CultureInfo.InvariantCulture)))];
    }

    public int Rank => _world.Rank;

    public int Size => _world.Size;

    public IReadOnlyList<RankPlace> Places { get; }

    public bool OutlivesRanks { get; set; }

    /// <summary>What the process ends with where ranks were lost and MPI cannot end in order.</summary>
    public int EndsWith { get; set; }

    /// <summary>Joins the ranks that a launcher started.</summary>
    /// <param name="tell">Shows a line to the user, from any rank.</param>
    /// <exception cref="SafeLlamaException">The MPI library is missing, or of an unknown kind.</exception>
    public static MpiCommunicator Join(Launcher launcher, Action<string> tell)
    {
        var limits = RankLimits.Read();
        return new MpiCommunicator(MpiWorld.Begin(launcher, limits.Start, tell), limits, tell);
    }

    public bool IsLost(int rank) => _watchdog.IsLost(rank);

    /// <summary>The ranks, where they run, and when a silent one ends the run.</summary>
    public override string ToString()
    {
        var hosts = Size <= 8
            ? Places.Select((place, rank) => $"{rank} on {place.Host} (process {place.Process})")
            : Places.GroupBy(place => place.Host).Select(host => $"{host.Count()} on {host.Key}");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"ranks: {Size}, by {_world.Name}: {string.Join(", ", hosts)}; one that is silent for "
            + $"{_limits.Silence.TotalSeconds:0.#} s is lost.");
    }

    public void Send(int to, ReadOnlySpan<byte> bytes, Channel channel = Channel.Work)
    {
        fixed (byte* start = bytes)
        {
            for (long first = 0; first < bytes.Length || first == 0; first += MessageBytes)
            {
                var count = (int)Math.Min(MessageBytes, bytes.Length - first);
                var from = start + first;
                Through(to, () => _world.Send(from, count, to, channel));
            }
        }
    }

    public void Receive(int from, Span<byte> bytes, Channel channel = Channel.Work)
    {
        fixed (byte* start = bytes)
        {
            for (long first = 0; first < bytes.Length || first == 0; first += MessageBytes)
            {
                var count = (int)Math.Min(MessageBytes, bytes.Length - first);
                var to = start + first;
                Through(from, () => _world.Receive(to, count, from, channel));
            }
        }
    }

    public Incoming ReceiveLater(int from, int byteCount, Channel channel = Channel.Work) =>
        MpiMessage.Receive(_world, byteCount, from, channel);

    public void Abort(ExitCode code, string line)
    {
        if (Rank != 0)
        {
            try
            {
                var sent = MpiMessage.Send(
                    _world, new ControlMessage(ControlKind.Failed, (int)code, line).ToBytes(), 0, Channel.Control);
                for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < Patience;)
                {
                    _ = sent.IsReady;
                    Thread.Sleep(10);
                }
            }
            catch (MpiException)
            {
                // Rank 0 is not there to be told.
            }
        }

        // What was found by comparing ranks already names one.
        End((int)code, line.StartsWith("rank ", StringComparison.Ordinal) ? line : $"{Name(Rank)}: {line}");
    }

    public void Dispose()
    {
        _watchdog.Leave();
        _deathNotice?.Dispose();
        if (_watchdog.SomeAreLost)
        {
            // MPI_Finalize would wait for the lost ones, and so would the launcher.
            Console.Out.Flush();
            if (Rank == 0)
            {
                Thread.Sleep(Farewell);
                _world.Abort(EndsWith);
            }

            MpiNative.Exit(EndsWith);
        }

        _world.Finish();
    }

    private string Name(int rank) => $"rank {rank} on {Places[rank].Host}";

    private void Fail(int rank, ControlMessage message)
    {
        if (Rank != 0)
        {
            // Others do this rank's work already.
            MpiNative.Exit(message.Code);
        }

        End(message.Code, $"{Name(rank)}: {message.Text}");
    }

    private void Lose(int rank)
    {
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{Name(rank)} (process {Places[rank].Process}) has given no sign of life for "
            + $"{_limits.Silence.TotalSeconds:0.#} s: killed, or its machine or network failed");
        if (OutlivesRanks && Rank == 0)
        {
            _tell(line + "; the others do its work.");
            return;
        }

        End((int)ExitCode.Failure, line + ". The last checkpoint is whole.");
    }

    /// <summary>One line, then the end of all ranks; does not return.</summary>
    private void End(int code, string line)
    {
        if (Interlocked.Exchange(ref _aborting, 1) != 0)
        {
            Thread.Sleep(Timeout.Infinite);
        }

        _tell(line);
        Thread.Sleep(Farewell);          // the line passes through the launcher, which is about to end
        new Thread(() => _world.Abort(code)) { IsBackground = true }.Start();
        Thread.Sleep(Patience);
        MpiNative.Exit(code);
    }

    /// <summary>Begins a message and waits until it is through: busily at first, then less.</summary>
    private void Through(int peer, Func<nint> begin)
    {
        try
        {
            var request = begin();
            var began = Stopwatch.GetTimestamp();
            for (var tries = 0; !_world.Test(ref request); tries++)
            {
                if (IsLost(peer))
                {
                    throw new RankLostException(peer);
                }

                if (tries > 50)
                {
                    Thread.Sleep(Stopwatch.GetElapsedTime(began) > TimeSpan.FromMilliseconds(5) ? 1 : 0);
                }
            }
        }
        catch (MpiException e)
        {
            if (!OutlivesRanks)
            {
                End((int)ExitCode.Failure, $"{Name(Rank)}: the connection to {Name(peer)} failed: {e.Message}");
            }

            throw new RankLostException(peer);
        }
    }
}
