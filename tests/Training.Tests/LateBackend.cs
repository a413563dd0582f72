using SafeLlama.Kernels;

namespace SafeLlama.Training.Tests;

/// <summary>
/// Another backend whose totals are never there when they are asked for, as on a device that is still at work.
/// </summary>
internal sealed class LateBackend(IBackend inner) : IBackend
{
    public string Name => inner.Name;

    public DType Activation => inner.Activation;

    public DType Accumulation => inner.Accumulation;

    public RmsNorm RmsNorm => inner.RmsNorm;

    public Linear Linear => inner.Linear;

    public LowRank LowRank => inner.LowRank;

    public Rope Rope => inner.Rope;

    public Attention Attention => inner.Attention;

    public SwiGlu SwiGlu => inner.SwiGlu;

    public CrossEntropy CrossEntropy => inner.CrossEntropy;

    public Embedding Embedding => inner.Embedding;

    public Elementwise Elementwise => inner.Elementwise;

    public AdamW AdamW => inner.AdamW;

    public int RowStride(int columns, DType type) => inner.RowStride(columns, type);

    public Storage AllocateStorage(long byteCount, string what) => inner.AllocateStorage(byteCount, what);

    public Readback ReadLater(Tensor totals) => new LateReadback(inner.ReadLater(totals));

    public long ScratchBytes(in WorkSize work) => inner.ScratchBytes(work);

    public Tensor Import(HostMemory source, long byteOffset, Shape shape, DType type, string name) =>
        inner.Import(source, byteOffset, shape, type, name);

    public void Synchronize() => inner.Synchronize();

    public void Dispose() => inner.Dispose();

    private sealed class LateReadback(Readback inner) : Readback
    {
        public override bool IsReady => false;

        public override void Begin() => inner.Begin();

        public override ReadOnlySpan<double> Wait() => inner.Wait();

        protected override void Dispose(bool disposing) => inner.Dispose();
    }
}
