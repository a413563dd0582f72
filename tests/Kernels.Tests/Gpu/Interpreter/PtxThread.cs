namespace SafeLlama.Kernels.Tests;

/// <summary>One thread: its registers, its local memory, and where it stands.</summary>
internal sealed class PtxThread(PtxGroup group, int index, int registers, int localBytes)
{
    private readonly ulong[] _values = new ulong[registers];
    private readonly bool[] _written = new bool[registers];

    public PtxGroup Group => group;

    /// <summary>Its number in the group.</summary>
    public int Index => index;

    public int Lane => index % 32;

    /// <summary>The next instruction; past the last one when the thread has returned.</summary>
    public int Next { get; set; }

    public byte[] Local { get; } = new byte[localBytes];

    /// <summary>
    /// Copies asked for since the last commit, and the committed groups still on their way, oldest first.
    /// </summary>
    public List<PtxCopy> Asked { get; private set; } = [];

    public Queue<List<PtxCopy>> OnTheirWay { get; } = [];

    /// <exception cref="PtxFault">The register was never written.</exception>
    public ulong Read(int register) =>
        _written[register] ? _values[register] : throw new PtxFault(this, "reads a register that was never written");

    public void Write(int register, ulong value) => (_values[register], _written[register]) = (value, true);

    public void Commit()
    {
        OnTheirWay.Enqueue(Asked);
        Asked = [];
    }
}

/// <summary>A copy of 16 bytes to shared memory that has been asked for.</summary>
internal readonly record struct PtxCopy(uint Target, byte[] Bytes);

/// <summary>The program did what hardware would not forgive.</summary>
internal sealed class PtxFault(PtxThread thread, string what)
    : Exception($"thread {thread.Index} of group {thread.Group.Place}, instruction {thread.Next} "
        + $"({thread.Group.At(thread.Next)}): {what}");
