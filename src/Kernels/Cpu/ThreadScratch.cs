using System.Runtime.InteropServices;

namespace SafeLlama.Kernels;

/// <summary>Working memory of each thread; it grows to the largest request, and every op reuses it.</summary>
/// <remarks>A second call returns the same memory, so an op asks once and divides the result.</remarks>
internal sealed unsafe class ThreadScratch
{
    [ThreadStatic]
    private static ThreadScratch? _own;

    /// <summary>The floats of the longest vector.</summary>
    public const int VectorCount = 16;

    private readonly float* _vector = (float*)NativeMemory.AlignedAlloc(VectorCount * sizeof(float), 64);
    private float* _floats;
    private nuint _capacity;

    /// <summary>Room for one vector of a row's end, beside <see cref="Floats"/>.</summary>
    public static float* Vector => (_own ??= new ThreadScratch())._vector;

    /// <summary>Bytes that this thread holds.</summary>
    public static long Held => (long)(_own?._capacity ?? 0);

    /// <summary>At least <paramref name="count"/> floats, 64-byte aligned, with unspecified contents.</summary>
    public static float* Floats(long count)
    {
        var own = _own ??= new ThreadScratch();
        var bytes = (nuint)count * sizeof(float);
        if (own._capacity < bytes)
        {
            NativeMemory.AlignedFree(own._floats);
            own._floats = null;
            own._capacity = 0;
            own._floats = (float*)NativeMemory.AlignedAlloc(bytes, 64);
            own._capacity = bytes;
        }

        return own._floats;
    }

    ~ThreadScratch()
    {
        NativeMemory.AlignedFree(_vector);
        NativeMemory.AlignedFree(_floats);
    }
}
