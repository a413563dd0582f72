using System.Diagnostics;

namespace SafeLlama.Kernels;

/// <summary>What one op cost since the last reset.</summary>
/// <param name="Calls">How often it ran.</param>
/// <param name="Seconds">Wall time.</param>
/// <param name="CpuSeconds">Time on all cores together: on a shared machine it tells more than wall time.</param>
/// <param name="Flops">Floating-point operations of its products; 0 where memory, not arithmetic, is the limit.</param>
/// <param name="Bytes">Bytes of the tensors it read and wrote, each counted once.</param>
public sealed record OpTime(int Calls, double Seconds, double CpuSeconds, double Flops, double Bytes);

/// <summary>Sums of time and work by op.</summary>
public sealed class OpTimes
{
    private readonly Dictionary<string, OpTime> _times = [];
    private long _started;
    private TimeSpan _cpuStarted;
    private double _wall;
    private double _cpu;

    public IReadOnlyDictionary<string, OpTime> Times => _times;

    /// <summary>Waits until an op is done; returns at once where an op returns when it is done.</summary>
    internal Action Finished { get; set; } = () => { };

    /// <summary>Begins anew; call it before the first step that counts.</summary>
    public void Reset()
    {
        _times.Clear();
        _started = Stopwatch.GetTimestamp();
        _cpuStarted = Environment.CpuUsage.TotalTime;
    }

    /// <summary>Ends what a report calls the whole.</summary>
    public void Stop()
    {
        _wall = Stopwatch.GetElapsedTime(_started).TotalSeconds;
        _cpu = (Environment.CpuUsage.TotalTime - _cpuStarted).TotalSeconds;
    }

    /// <summary>Runs an op and adds what it cost.</summary>
    /// <param name="name">What the line of the report is called.</param>
    /// <param name="flops">Floating-point operations, or 0.</param>
    /// <param name="op">The op.</param>
    /// <param name="tensors">What it reads and writes.</param>
    public void Run(string name, double flops, Action op, params ReadOnlySpan<Tensor?> tensors)
    {
        var bytes = 0.0;
        foreach (var tensor in tensors)
        {
            bytes += tensor is null ? 0 : tensor.Shape.Count * tensor.Type.Size();
        }

        var (start, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        op();
        Finished();
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var cpuSeconds = (Environment.CpuUsage.TotalTime - cpu).TotalSeconds;
        var sum = _times.GetValueOrDefault(name) ?? new(0, 0, 0, 0, 0);
        _times[name] = new(
            sum.Calls + 1, sum.Seconds + seconds, sum.CpuSeconds + cpuSeconds, sum.Flops + flops, sum.Bytes + bytes);
    }

    /// <summary>
    /// One line an op, the slowest first, and what no op accounts for. Rates are per second of CPU time.
    /// </summary>
    /// <param name="writer">Where to.</param>
    /// <param name="steps">How many steps the sums are of.</param>
    /// <param name="limits">What a core can do; null where ops run elsewhere, and no share of it is shown.</param>
    internal void Print(TextWriter writer, int steps, Roofline? limits)
    {
        var ofLimit = limits is null ? "" : $"{"of limit",10}";
        writer.WriteLine(
            $"{"op",-24}{"calls/step",11}{"ms/step",10}{"CPU ms",10}{"share",8}{"GFLOP/s",9}{"GB/s",8}{ofLimit}");
        foreach (var (name, time) in _times.OrderByDescending(t => t.Value.CpuSeconds))
        {
            var (flops, bytes) = (time.Flops / time.CpuSeconds / 1e9, time.Bytes / time.CpuSeconds / 1e9);
            writer.WriteLine(
                Line(name, $"{time.Calls / (double)steps:F0}", time.Seconds, time.CpuSeconds, steps)
                + $"{(flops > 0 ? $"{flops:F1}" : ""),9}{bytes,8:F1}"
                + (limits is null ? "" : $"{limits.Share(time.Flops, time.Bytes, time.CpuSeconds),10:P0}"));
        }

        writer.WriteLine(Line(
            "outside ops", "", _wall - _times.Values.Sum(t => t.Seconds), _cpu - _times.Values.Sum(t => t.CpuSeconds),
            steps));
        if (limits is not null)
        {
            writer.WriteLine(
                $"limit of one core: {limits.GigaflopsPerSecond:F0} GFLOP/s of multiply-adds; where nothing is "
                + $"multiplied, {limits.MemoryGigabytesPerSecond:F1} GB/s from memory, more from a cache.");
        }
    }

    private string Line(string name, string calls, double seconds, double cpuSeconds, int steps) =>
        $"{name,-24}{calls,11}{1000 * seconds / steps,10:F2}{1000 * cpuSeconds / steps,10:F2}{cpuSeconds / _cpu,8:P1}";
}
