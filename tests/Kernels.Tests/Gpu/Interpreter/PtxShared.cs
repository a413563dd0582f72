namespace SafeLlama.Kernels.Tests;

/// <summary>A group's shared memory, which knows who touched each byte since the last barrier.</summary>
/// <remarks>
/// Two threads that touch a byte between the same two barriers, one of them writing, race. A byte that <c>cp.async</c>
/// was asked to fill is poisoned until the thread that asked has waited, and belongs to that thread until the next
/// barrier.
/// </remarks>
internal sealed class PtxShared(int byteCount)
{
    private const int Nobody = -1;
    private const int Many = -2;

    private readonly byte[] _bytes = new byte[byteCount];
    private readonly bool[] _written = new bool[byteCount];
    private readonly bool[] _onItsWay = new bool[byteCount];
    private readonly int[] _writer = Filled(byteCount);
    private readonly int[] _reader = Filled(byteCount);

    /// <summary>
    /// Times that a warp's access had to be repeated because two addresses met in one of the 32 banks.
    /// </summary>
    public int BankConflicts { get; private set; }

    /// <summary>A barrier: what was done before it is settled.</summary>
    public void Settle()
    {
        Array.Fill(_writer, Nobody);
        Array.Fill(_reader, Nobody);
    }

    public ReadOnlySpan<byte> Read(PtxThread thread, uint address, int count)
    {
        var at = Within(thread, address, count);
        for (var i = at; i < at + count; i++)
        {
            Check(thread, !_onItsWay[i], "reads shared memory that a copy on its way will fill");
            Check(thread, _written[i], "reads shared memory that was never written");
            Check(thread, _writer[i] == Nobody
                || _writer[i] == thread.Index, "reads shared memory that another thread wrote, no barrier between");
            _reader[i] = _reader[i] == Nobody || _reader[i] == thread.Index ? thread.Index : Many;
        }

        return _bytes.AsSpan(at, count);
    }

    public void Write(PtxThread thread, uint address, ReadOnlySpan<byte> bytes)
    {
        Claim(thread, address, bytes.Length);
        var at = Within(thread, address, bytes.Length);
        bytes.CopyTo(_bytes.AsSpan(at));
        _written.AsSpan(at, bytes.Length).Fill(true);
    }

    /// <summary>A copy is asked for: from now on nobody may look.</summary>
    public void Ask(PtxThread thread, uint address, int count)
    {
        Claim(thread, address, count);
        _onItsWay.AsSpan(Within(thread, address, count), count).Fill(true);
    }

    /// <summary>A copy has been waited for.</summary>
    public void Arrive(PtxThread thread, PtxCopy copy)
    {
        _onItsWay.AsSpan(Within(thread, copy.Target, copy.Bytes.Length), copy.Bytes.Length).Clear();
        Write(thread, copy.Target, copy.Bytes);
    }

    /// <summary>
    /// Counts what a phase of a warp's access costs: distinct words that fall into one bank are fetched in turn.
    /// </summary>
    public void CountBanks(IEnumerable<uint> addresses, int bytesEach)
    {
        var wordsEach = Math.Max(1, bytesEach / 4);
        var words = addresses.SelectMany(a => Enumerable.Range(0, wordsEach).Select(w => (a / 4) + (uint)w)).Distinct();
        BankConflicts += words.GroupBy(word => word % 32).Max(bank => bank.Count()) - 1;
    }

    private void Claim(PtxThread thread, uint address, int count)
    {
        var at = Within(thread, address, count);
        for (var i = at; i < at + count; i++)
        {
            Check(thread, !_onItsWay[i], "writes shared memory that a copy on its way will fill");
            Check(thread, _writer[i] == Nobody
                || _writer[i] == thread.Index, "writes shared memory that another thread wrote, no barrier between");
            Check(thread, _reader[i] == Nobody
                || _reader[i] == thread.Index, "writes shared memory that another thread read, no barrier between");
            _writer[i] = thread.Index;
        }
    }

    private int Within(PtxThread thread, uint address, int count)
    {
        var at = (long)address - PtxProgram.SharedBase;
        Check(thread, at >= 0 && at + count <= byteCount, $"shared address {address} + {count} is outside");
        Check(thread, address % Math.Min(count, 16) == 0, $"shared address {address} is not aligned to {count} bytes");
        return (int)at;
    }

    private static void Check(PtxThread thread, bool good, string otherwise)
    {
        if (!good)
        {
            throw new PtxFault(thread, otherwise);
        }
    }

    private static int[] Filled(int count)
    {
        var values = new int[count];
        Array.Fill(values, Nobody);
        return values;
    }
}
