namespace SafeLlama.Kernels;

/// <summary>
/// Another backend with a clock beside every op: where does the time of a step go, and how far is each op from its
/// limit?
/// </summary>
/// <remarks>
/// Device backends are waited for after every op, so there the sum of the ops is more than a step takes without a
/// clock.
/// </remarks>
public sealed class ProfilingBackend : IBackend
{
    private readonly IBackend _inner;

    /// <param name="inner">The backend that computes; it outlives this one.</param>
    public ProfilingBackend(IBackend inner)
    {
        _inner = inner;
        RmsNorm = new TimedRmsNorm(inner.RmsNorm, Times);
        Linear = new TimedLinear(inner.Linear, Times);
        LowRank = new TimedLowRank(inner.LowRank, Times);
        Rope = new TimedRope(inner.Rope, Times);
        Attention = new TimedAttention(inner.Attention, Times);
        SwiGlu = new TimedSwiGlu(inner.SwiGlu, Times);
        CrossEntropy = new TimedCrossEntropy(inner.CrossEntropy, Times);
        Embedding = new TimedEmbedding(inner.Embedding, Times);
        Elementwise = new TimedElementwise(inner.Elementwise, Times);
        AdamW = new TimedAdamW(inner.AdamW, Times);
        Times.Finished = inner.Synchronize;
    }

    public OpTimes Times { get; } = new();

    /// <summary>
    /// Prints where the time of <paramref name="steps"/> steps went; on the vectors of this machine also how far each
    /// op is from what a core can do, which is measured now, in a quarter of a second.
    /// </summary>
    public void Print(TextWriter writer, int steps) =>
        Times.Print(writer, steps, _inner is CpuBackend ? Roofline.Glance() : null);

    public string Name => _inner.Name;

    public DType Activation => _inner.Activation;

    public DType Accumulation => _inner.Accumulation;

    public RmsNorm RmsNorm { get; }

    public Linear Linear { get; }

    public LowRank LowRank { get; }

    public Rope Rope { get; }

    public Attention Attention { get; }

    public SwiGlu SwiGlu { get; }

    public LayerNorm LayerNorm => _inner.LayerNorm;

    public Gelu Gelu => _inner.Gelu;

    public DisentangledAttention DisentangledAttention => _inner.DisentangledAttention;

    public CrossEntropy CrossEntropy { get; }

    public Embedding Embedding { get; }

    public Elementwise Elementwise { get; }

    public AdamW AdamW { get; }

    public int RowStride(int columns, DType type) => _inner.RowStride(columns, type);

    public Storage AllocateStorage(long byteCount, string what) => _inner.AllocateStorage(byteCount, what);

    public DoubleBuffer AllocateDoubleBuffer(long byteCount, string what) => _inner.AllocateDoubleBuffer(byteCount, what);

    public Readback ReadLater(Tensor totals) => _inner.ReadLater(totals);

    public long ScratchBytes(in WorkSize work) => _inner.ScratchBytes(work);

    public string? StartUp => _inner.StartUp;

    public long? MemoryBytes => _inner.MemoryBytes;

    public Tensor Import(HostMemory source, long byteOffset, Shape shape, DType type, string name) =>
        _inner.Import(source, byteOffset, shape, type, name);

    public void Synchronize() => _inner.Synchronize();

    /// <summary>The clock has nothing to free; the inner backend stays its owner's.</summary>
    public void Dispose()
    {
    }
}
