using System.Diagnostics;
using SafeLlama.Common;

namespace SafeLlama.Kernels;

/// <summary>The cost of one op since the last reset.</summary>
/// <param name="Calls">How often it ran.</param>
/// <param name="Seconds">Wall time.</param>
/// <param name="CpuSeconds">Time on all cores together; on a shared machine it is more reliable than wall time.</param>
/// <param name="Flops">Floating-point operations of its products; 0 where memory, not arithmetic, is the limit.</param>
/// <param name="Bytes">Bytes of the tensors it read and wrote, each counted once.</param>
public sealed record OpTime(int Calls, double Seconds, double CpuSeconds, double Flops, double Bytes);

/// <summary>Measures the time of every op, and how close each op is to its limit.</summary>
/// <remarks>
/// It observes a backend from its construction to its disposal and does not change the work. On a device it waits after
/// every op, so the sum of the ops exceeds the time of a step without a profile.
/// </remarks>
public sealed class OpProfile : IOpObserver, IDisposable
{
    private readonly IBackend _backend;
    private readonly Dictionary<string, OpTime> _times = [];
    private long _started;
    private TimeSpan _cpuStarted;
    private long _opStarted;
    private TimeSpan _opCpuStarted;
    private double _wall;
    private double _cpu;

    /// <param name="backend">The backend whose ops are timed.</param>
    public OpProfile(IBackend backend)
    {
        _backend = backend;
        backend.Observe(this);
    }

    public IReadOnlyDictionary<string, OpTime> Times => _times;

    /// <summary>Resets the sums; call it before the first step to measure.</summary>
    public void Reset()
    {
        _times.Clear();
        _started = Stopwatch.GetTimestamp();
        _cpuStarted = Environment.CpuUsage.TotalTime;
    }

    /// <summary>Ends the measured time.</summary>
    public void Stop()
    {
        _wall = Stopwatch.GetElapsedTime(_started).TotalSeconds;
        _cpu = (Environment.CpuUsage.TotalTime - _cpuStarted).TotalSeconds;
    }

    /// <summary>
    /// Prints where the time of <paramref name="steps"/> steps went; on the CPU it also prints the share of the limit
    /// of a core, which it measures in a quarter of a second.
    /// </summary>
    public void Print(TextWriter writer, int steps) =>
        Print(writer, steps, _backend is CpuBackend ? Roofline.Glance() : null);

    void IOpObserver.Started() =>
        (_opStarted, _opCpuStarted) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);

    void IOpObserver.Finished(in OpWork work)
    {
        _backend.Synchronize();
        var seconds = Stopwatch.GetElapsedTime(_opStarted).TotalSeconds;
        var cpuSeconds = (Environment.CpuUsage.TotalTime - _opCpuStarted).TotalSeconds;
        var sum = _times.GetValueOrDefault(work.Name) ?? new(0, 0, 0, 0, 0);
        _times[work.Name] = new(
            sum.Calls + 1, sum.Seconds + seconds, sum.CpuSeconds + cpuSeconds, sum.Flops + work.Flops,
            sum.Bytes + work.Bytes);
    }

    public void Dispose() => _backend.Observe(null);

    /// <summary>
    /// Prints one line per op, the slowest first, and the time outside ops. Rates are per second of CPU time.
    /// </summary>
    /// <param name="writer">Where to.</param>
    /// <param name="steps">How many steps the sums are of.</param>
    /// <param name="limits">
    /// The limits of a core; null where ops do not run on the CPU, and shares are not shown.
    /// </param>
    private void Print(TextWriter writer, int steps, Roofline? limits)
    {
        var ofLimit = limits is null ? "" : $"{"of limit",10}";
        writer.WriteLine(
            $"{"op",-24}{"calls/step",11}{"ms/step",10}{"CPU ms",10}{"share",8}{"GFLOP/s",9}{"GB/s",8}{ofLimit}");
        foreach (var (name, time) in _times.OrderByDescending(t => t.Value.CpuSeconds))
        {
            var (flops, bytes) = (time.Flops / time.CpuSeconds / 1e9, time.Bytes / time.CpuSeconds / 1e9);
            var ofPeak = limits is null
                ? "" : Percent.Of(limits.Share(time.Flops, time.Bytes, time.CpuSeconds), "0").PadLeft(10);
            writer.WriteLine(
                Line(name, $"{time.Calls / (double)steps:F0}", time.Seconds, time.CpuSeconds, steps)
                + $"{(flops > 0 ? $"{flops:F1}" : ""),9}{bytes,8:F1}{ofPeak}");
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
        $"{name,-24}{calls,11}{1000 * seconds / steps,10:F2}{1000 * cpuSeconds / steps,10:F2}"
        + $"{Percent.Of(cpuSeconds / _cpu, "0.0"),8}";
}
