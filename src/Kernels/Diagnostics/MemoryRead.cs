using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace SafeLlama.Kernels;

/// <summary>Measures how fast one thread or several threads read a block of memory from start to end.</summary>
public sealed unsafe class MemoryRead : IDisposable
{
    private const int Line = 256;

    private const int Passes = 5;

    private readonly byte* _memory;
    private readonly long _bytes;

    public MemoryRead(long bytes)
    {
        _bytes = bytes;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 4096);
        new Span<byte>(_memory, checked((int)bytes)).Fill(1);
    }

    /// <summary>Reads everything so often on the calling thread.</summary>
    /// <returns>How many bytes were read.</returns>
    public double Pass(long passes)
    {
        for (var pass = 0L; pass < passes; pass++)
        {
            Sum(_memory, _bytes);
        }

        return (double)_bytes * passes;
    }

    /// <summary>
    /// The best of a few passes, each thread reading its own part: a limit, so slower passes do not count.
    /// </summary>
    /// <returns>10⁹ bytes a second of the CPU time that each thread had.</returns>
    public double Rate(int threads) => Enumerable.Range(0, Passes).Max(_ => OnePass(threads));

    public void Dispose() => NativeMemory.AlignedFree(_memory);

    private double OnePass(int threads)
    {
        var part = _bytes / threads / Line * Line;
        var cpu = Environment.CpuUsage.TotalTime;
        var others = Enumerable.Range(1, threads - 1).Select(t => new Thread(() => Sum(_memory + (t * part), part)))
            .ToList();
        others.ForEach(thread => thread.Start());
        Sum(_memory, part);
        others.ForEach(thread => thread.Join());
        return part * threads / 1e9 / ((Environment.CpuUsage.TotalTime - cpu).TotalSeconds / threads);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum(byte* memory, long bytes)
    {
        Vector512<int> a = default, b = default, c = default, d = default;
        for (var at = 0L; at <= bytes - Line; at += Line)
        {
            a += Vector512.Load((int*)(memory + at));
            b += Vector512.Load((int*)(memory + at + 64));
            c += Vector512.Load((int*)(memory + at + 128));
            d += Vector512.Load((int*)(memory + at + 192));
        }

        GC.KeepAlive(Vector512.Sum(a + b + c + d));
    }
}
