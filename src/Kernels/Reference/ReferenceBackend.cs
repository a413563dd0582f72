namespace SafeLlama.Kernels;

/// <summary>The definition: every op as fp64 loops on one thread. Slow, and right.</summary>
public sealed class ReferenceBackend : IBackend
{
    public ReferenceBackend() => Linear = new LinearReference(SwiGlu);

    public string Name => "reference (fp64 loops)";

    public DType Activation => DType.Float64;

    public DType Accumulation => DType.Float64;

    public RmsNorm RmsNorm { get; } = new RmsNormReference();

    public Linear Linear { get; }

    public Rope Rope { get; } = new RopeReference();

    public Attention Attention { get; } = new AttentionReference();

    public SwiGlu SwiGlu { get; } = new SwiGluReference();

    public Dora Dora { get; } = new DoraReference();

    public LayerNorm LayerNorm { get; } = new LayerNormReference();

    public Gelu Gelu { get; } = new GeluReference();

    public DisentangledAttention DisentangledAttention { get; } = new DisentangledAttentionReference();

    public CrossEntropy CrossEntropy { get; } = new CrossEntropyReference();

    public Embedding Embedding { get; } = new EmbeddingReference();

    public Elementwise Elementwise { get; } = new ElementwiseReference();

    public AdamW AdamW { get; } = new AdamWReference();

    public int RowStride(int columns, DType type) => columns;

    public Storage AllocateStorage(long byteCount, string what) => new HostMemory(byteCount, what);

    /// <summary>Loops over numbers widened once: a few matrices, on models that are small.</summary>
    public long ScratchBytes(in WorkSize work) => 4L * work.Rows * work.Columns * sizeof(double);

    public Tensor Import(HostMemory source, long byteOffset, Shape shape, WeightFormat format, string name) =>
        Tensor.Over(source, byteOffset, shape, format, name);

    public void Synchronize()
    {
    }

    public void Dispose()
    {
    }
}
