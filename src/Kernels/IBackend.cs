namespace SafeLlama.Kernels;

/// <summary>A backend: its memory, its number types and one implementation of every op.</summary>
/// <remarks>Nothing is allocated inside an op. Ops of one backend run in the order they are called.</remarks>
public interface IBackend : IDisposable
{
    /// <summary>What <c>--device</c> calls it, with the hardware: <c>cpu (AVX-512, 2 threads)</c>.</summary>
    string Name { get; }

    /// <summary>Float64 on the reference, Float32 on the CPU, Float32 or BFloat16 on CUDA.</summary>
    DType Activation { get; }

    /// <summary>
    /// The type that large products round their operands to: BFloat16 on <c>cpu:bf16</c> and <c>cuda:bf16</c>; else as
    /// <see cref="Activation"/>.
    /// </summary>
    DType Operands => Activation;

    /// <summary>
    /// What a training pass keeps for its backward, the residual stream apart: BFloat16 on <c>cpu:bf16</c>; else as
    /// <see cref="Activation"/>.
    /// </summary>
    DType Kept => Activation;

    /// <summary>
    /// The type of statistics, adapters, gradients and optimizer state: Float64 on the reference, else Float32.
    /// </summary>
    DType Accumulation { get; }

    /// <summary>The row stride that suits this backend for rows of so many columns, in elements.</summary>
    int RowStride(int columns, DType type);

    /// <summary>Memory set to zero; <paramref name="what"/> names it where it does not fit.</summary>
    Storage AllocateStorage(long byteCount, string what);

    /// <summary>Two blocks of so many bytes each, for data that are copied to the device in turn.</summary>
    DoubleBuffer AllocateDoubleBuffer(long byteCount, string what) =>
        new(AllocateStorage(byteCount, what), AllocateStorage(byteCount, what));

    /// <summary>Copies totals to the host without waiting for later work.</summary>
    /// <param name="totals">[n] Float64.</param>
    Readback ReadLater(Tensor totals) => new HostReadback(totals);

    /// <summary>
    /// An upper bound of the memory that ops keep for themselves besides their tensors, in bytes, pinned host memory
    /// included.
    /// </summary>
    long ScratchBytes(in WorkSize work);

    /// <summary>Whether products read weights that are stored in a format.</summary>
    bool Reads(WeightFormat format) => true;

    /// <summary>A tensor over host bytes as they are stored: borrowed on the CPU, uploaded on a device.</summary>
    /// <exception cref="Common.SafeLlamaException">A device has no kernels for this format.</exception>
    Tensor Import(HostMemory source, long byteOffset, Shape shape, WeightFormat format, string name);

    RmsNorm RmsNorm { get; }

    Linear Linear { get; }

    Dora Dora { get; }

    Rope Rope { get; }

    Attention Attention { get; }

    SwiGlu SwiGlu { get; }

    LayerNorm LayerNorm { get; }

    Gelu Gelu { get; }

    DisentangledAttention DisentangledAttention { get; }

    CrossEntropy CrossEntropy { get; }

    Embedding Embedding { get; }

    Elementwise Elementwise { get; }

    AdamW AdamW { get; }

    /// <summary>Every op, each once.</summary>
    IEnumerable<Op> Ops =>
    [
        RmsNorm, Linear, Dora, Rope, Attention, SwiGlu, LayerNorm, Gelu, DisentangledAttention, CrossEntropy,
        Embedding, Elementwise, AdamW,
    ];

    /// <summary>Sets the observer of every op call; null for none.</summary>
    void Observe(IOpObserver? observer)
    {
        foreach (var op in Ops)
        {
            op.Observer = observer;
        }
    }

    /// <summary>The cost of preparation so far, as text; null where there is none.</summary>
    string? StartUp => null;

    /// <summary>The bytes of the device's own memory; null where it shares the host's.</summary>
    long? MemoryBytes => null;

    /// <summary>Waits until all queued work is done.</summary>
    void Synchronize();
}
