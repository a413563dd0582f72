using System.Runtime.InteropServices;

namespace SafeLlama.Kernels;

/// <summary>Totals that are copied to the host, which need not wait for later work.</summary>
public abstract class Readback : IDisposable
{
    /// <summary>Whether <see cref="Wait"/> would return at once.</summary>
    public abstract bool IsReady { get; }

    /// <summary>Queues a copy of the numbers behind the work queued so far.</summary>
    public abstract void Begin();

    /// <summary>The numbers of the last copy, valid until the next one is queued.</summary>
    public abstract ReadOnlySpan<double> Wait();

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}

/// <summary>On the host the numbers are available at once.</summary>
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
