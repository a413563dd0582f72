using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace SafeLlama.Benchmarks;

/// <summary>How fast one thread, or several side by side, read a block of memory from its first byte to its last.</summary>
internal sealed unsafe class MemoryRead : IDisposable
{
    private const int Line = 256;

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

    /// <summary>Reads everything once, each thread its own part.</summary>
    /// <returns>10⁹ bytes a second of the CPU time that each thread had, and by the clock.</returns>
    public (double PerCpuSecond, double PerSecond) Rate(int threads)
    {
        var part = _bytes / threads / Line * Line;
        var (cpu, start) = (Environment.CpuUsage.TotalTime, Stopwatch.GetTimestamp());
        var others = Enumerable.Range(1, threads - 1).Select(t => new Thread(() => Sum(_memory + (t * part), part))).ToList();
        others.ForEach(thread => thread.Start());
        Sum(_memory, part);
        others.ForEach(thread => thread.Join());
        var (wall, used) = (Stopwatch.GetElapsedTime(start), Environment.CpuUsage.TotalTime - cpu);
        var gigabytes = part * threads / 1e9;
        return (gigabytes / (used.TotalSeconds / threads), gigabytes / wall.TotalSeconds);
    }

    public void Dispose() => NativeMemory.AlignedFree(_memory);

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
