using System.Runtime.InteropServices;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using SafeLlama.Common;

namespace SafeLlama.Kernels;

/// <summary>A CUDA device through ILGPU, or ILGPU's emulation of one on the CPU.</summary>
/// <remarks>
/// All work is queued on one stream and runs in order; the host waits only where numbers are read back. Activations are
/// fp32 or bf16, statistics, adapters and totals fp32 and fp64, and frozen weights stay in their stored type.
/// </remarks>
public sealed class GpuBackend : IBackend
{
    private readonly GpuDevice _device;
    private readonly GpuMemory _scratch;
    private readonly LinearGpu _linear;
    private readonly AttentionGpu _attention;
    private readonly CublasGemm? _cublas;
    private readonly List<GpuMemory> _imported = [];

    private GpuBackend(GpuDevice device, DType activation, string name, bool cublas = false)
    {
        if (activation is not (DType.Float32 or DType.BFloat16))
        {
            throw SafeLlamaException.Usage($"Activations on a GPU are Float32 or BFloat16, not {activation}.");
        }

        (_device, Activation, Name) = (device, activation, name);
        var parts = ElementwiseGpu.PartsShape;
        _scratch = new GpuMemory(device, parts.Count * DType.Float64.Size(), "totals");
        _cublas = cublas ? new CublasGemm(device) : null;
        RmsNorm = new RmsNormGpu(device);
        Rope = new RopeGpu(device);
        Attention = _attention = new AttentionGpu(device);
        SwiGlu = new SwiGluGpu(device);
        Linear = _linear = new LinearGpu(device, new GpuGemm(device, _cublas), SwiGlu);
        Dora = new DoraGpu(device);
        LayerNorm = new LayerNormGpu(device);
        Gelu = new GeluGpu(device);
        DisentangledAttention = new DisentangledAttentionGpu(device);
        CrossEntropy = new CrossEntropyGpu(device);
        Embedding = new EmbeddingGpu(device);
        Elementwise = new ElementwiseGpu(device, Tensor.Over(_scratch, 0, parts, DType.Float64, "parts"));
        AdamW = new AdamWGpu(device);
    }

    public string Name { get; }

    public DType Activation { get; }

    public DType Accumulation => DType.Float32;

    public RmsNorm RmsNorm { get; }

    public Linear Linear { get; }

    public Rope Rope { get; }

    public Attention Attention { get; }

    public SwiGlu SwiGlu { get; }

    public Dora Dora { get; }

    public LayerNorm LayerNorm { get; }

    public Gelu Gelu { get; }

    public DisentangledAttention DisentangledAttention { get; }

    public CrossEntropy CrossEntropy { get; }

    public Embedding Embedding { get; }

    public Elementwise Elementwise { get; }

    public AdamW AdamW { get; }

    /// <summary>
    /// What is known of these kernels on real devices, as programs tell it wherever a GPU is offered.
    /// </summary>
    public const string State =
        "no GPU has run these kernels yet; check yours with the deep check of doctor before you trust a result";

    /// <summary>The first CUDA device.</summary>
    /// <param name="activation">Float32 or BFloat16.</param>
    /// <param name="cublas">Whether NVIDIA's library computes the products, as a yardstick for ours.</param>
    /// <exception cref="SafeLlamaException">There is none, or its driver or cuBLAS is missing.</exception>
    public static GpuBackend OpenCuda(DType activation, bool cublas = false, int number = 0)
    {
        if (cublas)
        {
            CublasGemm.RequireInstalled();
        }

        var device = GpuDevice.OpenCuda(number);
        var products = cublas ? ", cuBLAS" : "";
        return new(device, activation, $"cuda ({device.Accelerator.Name}, {activation} activations{products})", cublas);
    }

    /// <summary>
    /// The same kernels on the CPU, one thread of the system for each thread of a group: slow, for tests.
    /// </summary>
    /// <param name="activation">Float32 or BFloat16.</param>
    /// <param name="groupSize">4 or 16.</param>
    public static GpuBackend OpenEmulated(DType activation, int groupSize = 4) =>
        new(GpuDevice.OpenEmulated(groupSize), activation, $"emulated gpu (groups of {groupSize}, {activation} "
            + "activations)");

    /// <summary>
    /// The kernels as a GPU would run them, tensor cores included, by an interpreter of their PTX: for tests, and very
    /// slow.
    /// </summary>
    internal static GpuBackend OpenInterpreted(DType activation, IGpuInterpreter interpreter) =>
        new(GpuDevice.OpenInterpreted(interpreter), activation, $"interpreted gpu ({activation} activations)");

    /// <summary>Rows are dense: kernels walk along rows, so neighbors never share a bank or a set.</summary>
    public int RowStride(int columns, DType type) => columns;

    public Storage AllocateStorage(long byteCount, string what) => new GpuMemory(_device, byteCount, what);

    public DoubleBuffer AllocateDoubleBuffer(long byteCount, string what) =>
        GpuDoubleBuffer.Allocate(_device, byteCount, what);

    public Readback ReadLater(Tensor totals) => new GpuReadback(_device, totals);

    public long ScratchBytes(in WorkSize work) =>
        _scratch.ByteCount + GpuDevice.StagingBytes + GpuDoubleBuffer.StagingBytes + SplitAttention.ScratchBytes(work)
            + _linear.Lora.ScratchBytes(work, Activation) + Int8Gpu.ScratchBytes(work, Activation);

    /// <summary>The memory that the ops hold now of what <see cref="ScratchBytes"/> grants them.</summary>
    internal long HeldScratch => _scratch.ByteCount + _attention.HeldScratch + _linear.Lora.HeldScratch
        + _linear.Int8.HeldScratch;

    public string? StartUp => _device.StartUp;

    public long? MemoryBytes => _device.Accelerator is CudaAccelerator cuda ? cuda.MemorySize : null;

    /// <summary>A device error as one line with the way out; null where the exception is not from a device.</summary>
    public static SafeLlamaException? FaultOf(Exception error) =>
        error is AcceleratorException ? GpuFault.Of("The device", error) : null;

    /// <summary>Elements, and the blocks that kernels decode as they fill their tiles.</summary>
    public bool Reads(WeightFormat format) => GpuKernelList.FormOf(format) is not null;

    /// <summary>
    /// Uploads from where the bytes lie, such as a mapped file; the backend keeps the device's copy until it is
    /// disposed.
    /// </summary>
    public unsafe Tensor Import(HostMemory source, long byteOffset, Shape shape, WeightFormat format, string name)
    {
        if (!Reads(format))
        {
            throw SafeLlamaException.InvalidData(
                $"Tensor '{name}' is stored in {format}, which no kernel of a GPU reads. Decode it first, or compute "
                + "on the CPU.");
        }

        const int Piece = 1 << 30;
        var bytes = format.Bytes(shape);
        var memory = format.Code == BlockCode.Nf4 ? WithValues(bytes, name) : new GpuMemory(_device, bytes, name);
        _imported.Add(memory);
        for (var at = 0L; at < bytes; at += Piece)
        {
            memory.Write(
                at, new ReadOnlySpan<byte>(source.Pointer + byteOffset + at, (int)Math.Min(Piece, bytes - at)));
        }

        return Tensor.Over(memory, 0, shape, format, name);
    }

    /// <summary>Memory for a weight in NF4, the values of its codes in the last words (<see cref="GpuNf4"/>).</summary>
    private GpuMemory WithValues(long bytes, string name)
    {
        var values = MemoryMarshal.AsBytes(Nf4Format.Values);
        var memory = new GpuMemory(_device, (bytes + values.Length + 255) / 256 * 256, name);
        memory.Write(memory.ByteCount - values.Length, values);
        return memory;
    }

    public void Synchronize() => _device.Synchronize();

    public void Dispose()
    {
        _imported.ForEach(memory => memory.Dispose());
        _cublas?.Dispose();
        _linear.Dispose();
        _attention.Dispose();
        _scratch.Dispose();
        _device.Dispose();
    }
}
