using SafeLlama.Kernels;

namespace SafeLlama.Testing;

/// <summary>Another backend in all that a test does not say otherwise.</summary>
public abstract class ForwardingBackend(IBackend inner) : IBackend
{
    public virtual string Name => inner.Name;

    public virtual string? StartUp => inner.StartUp;

    public virtual long? MemoryBytes => inner.MemoryBytes;

    public DType Activation => inner.Activation;

    public DType Accumulation => inner.Accumulation;

    public RmsNorm RmsNorm => inner.RmsNorm;

    public Linear Linear => inner.Linear;

    public LowRank LowRank => inner.LowRank;

    public Rope Rope => inner.Rope;

    public Attention Attention => inner.Attention;

    public SwiGlu SwiGlu => inner.SwiGlu;

    public LayerNorm LayerNorm => inner.LayerNorm;

    public Gelu Gelu => inner.Gelu;

    public DisentangledAttention DisentangledAttention => inner.DisentangledAttention;

    public CrossEntropy CrossEntropy => inner.CrossEntropy;

    public Embedding Embedding => inner.Embedding;

    public Elementwise Elementwise => inner.Elementwise;

    public AdamW AdamW => inner.AdamW;

    public int RowStride(int columns, DType type) => inner.RowStride(columns, type);

    public Storage AllocateStorage(long byteCount, string what) => inner.AllocateStorage(byteCount, what);

    public virtual Readback ReadLater(Tensor totals) => inner.ReadLater(totals);

    public long ScratchBytes(in WorkSize work) => inner.ScratchBytes(work);

    public Tensor Import(HostMemory source, long byteOffset, Shape shape, DType type, string name) =>
        inner.Import(source, byteOffset, shape, type, name);

    public void Synchronize() => inner.Synchronize();

    public void Dispose()
    {
        inner.Dispose();
        GC.SuppressFinalize(this);
    }
}
