namespace SafeLlama.Kernels;

/// <summary>Scratch of one op: as large as the largest request so far, so a steady step allocates nothing.</summary>
// HostMemory frees itself when it is collected; ops have no other reason to be disposed of.
#pragma warning disable CA1001
internal sealed unsafe class GrowingScratch(string what)
#pragma warning restore CA1001
{
    [ThreadStatic]
    private static long _held;

    private HostMemory? _memory;

    /// <summary>Bytes that ops asked for from this thread.</summary>
    public static long Held => _held;

    /// <summary>Room for so many floats, with whatever was written there before.</summary>
    public float* Floats(long count)
    {
        if (_memory is null || _memory.ByteCount < count * sizeof(float))
        {
            _held += (count * sizeof(float)) - (_memory?.ByteCount ?? 0);
            _memory?.Dispose();
            _memory = new HostMemory(count * sizeof(float), what);
        }

        return (float*)_memory.Pointer;
    }
}
