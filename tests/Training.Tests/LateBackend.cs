using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests;

/// <summary>
/// Another backend whose totals are never there when they are asked for, as on a device that is still at work.
/// </summary>
internal sealed class LateBackend(IBackend inner) : ForwardingBackend(inner)
{
    public override Readback ReadLater(Tensor totals) => new LateReadback(base.ReadLater(totals));

    private sealed class LateReadback(Readback inner) : Readback
    {
        public override bool IsReady => false;

        public override void Begin() => inner.Begin();

        public override ReadOnlySpan<double> Wait() => inner.Wait();

        protected override void Dispose(bool disposing) => inner.Dispose();
    }
}
