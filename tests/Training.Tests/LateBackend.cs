using SafeLlama.Kernels;

namespace SafeLlama.Training.Tests;

/// <summary>
/// The CPU, with totals that are never there when they are asked for, as on a device that is still at work.
/// </summary>
internal sealed class LateBackend() : CpuBackend(1), IBackend
{
    private readonly CpuBackend _plain = new(1);

    Readback IBackend.ReadLater(Tensor totals) => new LateReadback(((IBackend)_plain).ReadLater(totals));

    private sealed class LateReadback(Readback inner) : Readback
    {
        public override bool IsReady => false;

        public override void Begin() => inner.Begin();

        public override ReadOnlySpan<double> Wait() => inner.Wait();

        protected override void Dispose(bool disposing) => inner.Dispose();
    }
}
