using System.Runtime.InteropServices;

namespace SafeLlama.Kernels;

/// <summary>Totals on their way to the host, which need not wait for the work that is queued behind them.</summary>
public abstract class Readback : IDisposable
{
    /// <summary>Whether <see cref="Wait"/> would return at once.</summary>
    public abstract bool IsReady { get; }

    /// <summary>Asks for the numbers as they will be when the work queued so far is done.</summary>
    public abstract void Begin();

    /// <summary>The numbers asked for last, valid until they are asked for again.</summary>
    public abstract ReadOnlySpan<double> Wait();

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}

/// <summary>On the host the numbers are there when they are asked for.</summary>
/// <param name="source">[n] Float64.</param>
internal sealed class HostReadback(Tensor source) : Readback
{
    private readonly double[] _values = new double[source.Shape.Count];

    public override bool IsReady => true;

    public override void Begin() => source.Storage.Read(source.ByteOffset, MemoryMarshal.AsBytes(_values.AsSpan()));

    public override ReadOnlySpan<double> Wait() => _values;

    protected override void Dispose(bool disposing)
    {
    }
}
