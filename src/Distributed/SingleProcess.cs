using SafeLlama.Common;

namespace SafeLlama.Distributed;

/// <summary>One process alone: there is nobody to send to.</summary>
public sealed class SingleProcess : ICommunicator
{
    public static SingleProcess Instance { get; } = new();

    public int Rank => 0;

    public int Size => 1;

    public IReadOnlyList<RankPlace> Places { get; } = [new(Environment.MachineName, Environment.ProcessId)];

    public bool OutlivesRanks { get; set; }

    public bool IsLost(int rank) => false;

    public void Send(int to, ReadOnlySpan<byte> bytes, Channel channel = Channel.Work) => throw Nobody();

    public void Receive(int from, Span<byte> bytes, Channel channel = Channel.Work) => throw Nobody();

    public Incoming ReceiveLater(int from, int byteCount, Channel channel = Channel.Work) => throw Nobody();

    public void Abort(ExitCode code, string line)
    {
    }

    public void Dispose()
    {
    }

    private static InvalidOperationException Nobody() => new("A single process has nobody to send to.");
}
