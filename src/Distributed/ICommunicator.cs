using SafeLlama.Common;

namespace SafeLlama.Distributed;

/// <summary>Where a rank runs.</summary>
/// <param name="Host">The machine's name.</param>
/// <param name="Process">The process id there.</param>
public sealed record RankPlace(string Host, int Process);

/// <summary>Processes that work on one thing, numbered from 0: they send each other bytes.</summary>
/// <remarks>
/// Rank 0 writes files and speaks to the user. Every rank calls the same operations in the same order; what is built
/// from sending and receiving (barrier, broadcast, gather) is in <see cref="Collectives"/>. One process alone is <see
/// cref="SingleProcess"/>.
/// </remarks>
public interface ICommunicator : IDisposable
{
    /// <summary>The number of this process, from 0.</summary>
    int Rank { get; }

    /// <summary>How many processes there are.</summary>
    int Size { get; }

    /// <summary>Where each rank runs.</summary>
    IReadOnlyList<RankPlace> Places { get; }

    /// <summary>
    /// Whether the others go on where one is lost; else, and at first, the loss of one ends all.
    /// </summary>
    bool OutlivesRanks { get; set; }

    /// <summary>Whether a rank is known to have ended before its time.</summary>
    bool IsLost(int rank);

    /// <summary>Sends bytes, and returns when they may be overwritten.</summary>
    /// <exception cref="RankLostException">The rank is lost, and this one outlives it.</exception>
    void Send(int to, ReadOnlySpan<byte> bytes, Channel channel = Channel.Work);

    /// <summary>Receives bytes; as many as were sent.</summary>
    /// <exception cref="RankLostException">The rank is lost, and this one outlives it.</exception>
    void Receive(int from, Span<byte> bytes, Channel channel = Channel.Work);

    /// <summary>Receives bytes while something else is done.</summary>
    Incoming ReceiveLater(int from, int byteCount, Channel channel = Channel.Work);

    /// <summary>Ends every rank with a line that names this one; returns only where it is alone.</summary>
    /// <param name="code">What the program ends with.</param>
    /// <param name="line">Why, for the user.</param>
    void Abort(ExitCode code, string line);
}

/// <summary>Messages of one channel arrive in the order in which they were sent.</summary>
public enum Channel
{
    /// <summary>What every rank does in the same order.</summary>
    Work = 1,

    /// <summary>Work that rank 0 deals out, and its results.</summary>
    Dealing = 2,

    /// <summary>Signs of life, errors and the end.</summary>
    Control = 3,
}

/// <summary>A message on its way here.</summary>
public abstract class Incoming
{
    /// <summary>Whether it has arrived; then <see cref="Bytes"/> holds it.</summary>
    public abstract bool IsReady { get; }

    /// <summary>The message.</summary>
    public abstract ReadOnlySpan<byte> Bytes { get; }
}

/// <summary>A rank ended before its time, and this one goes on.</summary>
public sealed class RankLostException(int rank) : Exception($"rank {rank} is lost.")
{
    public int Rank => rank;
}
