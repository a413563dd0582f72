using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SafeLlama.Kernels;

/// <summary>The CPU path: fp32 arithmetic in vectors, the tiles of every op shared among threads.</summary>
/// <remarks>
/// Frozen weights stay where they are and are widened as they are read. How an op splits its work depends on shapes
/// alone, so any number of threads gives the same bytes; another instruction set may differ in the last bits.
/// </remarks>
public class CpuBackend : IBackend
{
    /// <summary>Rows at multiples of this distance share the same few cache sets.</summary>
    private const int AliasingBytes = 4096;

    /// <summary>One cache line of floats more per row spreads the rows over all sets.</summary>
    private const int PaddingBytes = 64;

    private readonly TilePool _pool;
    private readonly VectorOps _ops;

    /// <param name="threads">How many threads work, the caller's included; at least 1.</param>
    /// <param name="arithmetic">
    /// Of large products with a weight: Float32, or BFloat16, which rounds both operands and sums in fp32.
    /// </param>
    public CpuBackend(int threads, DType arithmetic = DType.Float32)
        : this(threads, WidestLanes, arithmetic)
    {
    }

    /// <summary>For tests: every op with vectors of 16, 8 or 4 floats, whatever the machine has.</summary>
    /// <param name="emulates">Whether bf16 is emulated even where the machine has the instruction.</param>
    internal CpuBackend(int threads, int lanes, DType arithmetic = DType.Float32, bool emulates = false)
    {
        if (arithmetic is not (DType.Float32 or DType.BFloat16))
        {
            throw new ArgumentOutOfRangeException(nameof(arithmetic), arithmetic, "Float32 or BFloat16");
        }

        Operands = arithmetic;
        _pool = new TilePool(threads);
        var bf16 = arithmetic == DType.BFloat16 ? ", bf16" : "";
        Name = $"cpu ({VectorsOf(lanes)}{bf16}, {threads} {(threads == 1 ? "thread" : "threads")})";
        _ops = lanes switch
        {
            16 => VectorOps.Of<Lanes512>(_pool, arithmetic, emulates ? null : TilesFor(arithmetic)),
            8 => VectorOps.Of<Lanes256>(_pool, arithmetic, null),
            _ => VectorOps.Of<Lanes128>(_pool, arithmetic, null),
        };
    }

    public string Name { get; }

    /// <summary>The vectors this machine has; equal work gives equal bytes wherever they are the same.</summary>
    public static string InstructionSet => VectorsOf(WidestLanes);

    public DType Activation => DType.Float32;

    public DType Operands { get; }

    public DType Kept => Operands;

    public DType Accumulation => DType.Float32;

    public RmsNorm RmsNorm => _ops.RmsNorm;

    public Linear Linear => _ops.Linear;

    public Rope Rope => _ops.Rope;

    public Attention Attention => _ops.Attention;

    public SwiGlu SwiGlu => _ops.SwiGlu;

    public Dora Dora => _ops.Dora;

    public LayerNorm LayerNorm => _ops.LayerNorm;

    public Gelu Gelu => _ops.Gelu;

    public DisentangledAttention DisentangledAttention => _ops.DisentangledAttention;

    public CrossEntropy CrossEntropy => _ops.CrossEntropy;

    public Embedding Embedding => _ops.Embedding;

    public Elementwise Elementwise => _ops.Elementwise;

    public AdamW AdamW => _ops.AdamW;

    /// <summary>How bf16 products are computed here: <c>instruction, 1.97×</c> or <c>emulated (reason)</c>.</summary>
    public static string BFloat16 => Bf16Tiles.Description;

    /// <summary>The machine code of the largest bf16 tile, an instruction or a comment to a line.</summary>
    public static IReadOnlyList<string> BFloat16Tile =>
        TileCode.List(TileForm.Rows, TileCode.Rows, vectors: 2, OperatingSystem.IsWindows());

    /// <summary>For comparisons: bf16 by fp32 multiply-adds even where the machine has the instruction.</summary>
    public static CpuBackend EmulatingBFloat16(int threads) =>
        new(threads, WidestLanes, DType.BFloat16, emulates: true);

    /// <summary>
    /// What the bf16 tile alone reaches now, in 10⁹ operations a second of one core; null where it is emulated.
    /// </summary>
    public static double? MeasureBFloat16Tile() => Bf16Tiles.Instance?.Gigaflops();

    private static Bf16Tiles? TilesFor(DType arithmetic) =>
        arithmetic == DType.BFloat16 ? Bf16Tiles.Instance : null;

    private static int WidestLanes =>
        Vector512.IsHardwareAccelerated && Avx512F.IsSupported ? 16 : Vector256.IsHardwareAccelerated ? 8 : 4;

    private static string VectorsOf(int lanes) => lanes switch { 16 => "AVX-512", 8 => "AVX2", _ => "128-bit vectors" };

    public int RowStride(int columns, DType type)
    {
        var bytes = columns * type.Size();
        if (type == DType.BFloat16)
        {
            // Rows of operands an odd number of lines apart, as the bf16 tile reads twelve of them side by side.
            return (((bytes + PaddingBytes - 1) / PaddingBytes) | 1) * PaddingBytes / type.Size();
        }

        return bytes > 0 && bytes % AliasingBytes == 0 ? columns + (PaddingBytes / type.Size()) : columns;
    }

    public Storage AllocateStorage(long byteCount, string what) => new HostMemory(byteCount, what);

    public long ScratchBytes(in WorkSize work)
    {
        var (thread, shared) = _ops.Scratch(work);
        return sizeof(float) * ((_pool.Threads * thread) + shared);
    }

    public Tensor Import(HostMemory source, long byteOffset, Shape shape, WeightFormat format, string name) =>
        Tensor.Over(source, byteOffset, shape, format, name);

    /// <summary>Every op returns when it is done, so there is nothing to wait for.</summary>
    public void Synchronize()
    {
    }

    public void Dispose()
    {
        _pool.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The ops, whose source is written once for vectors of any width.</summary>
    private sealed record VectorOps
    {
        public required RmsNorm RmsNorm { get; init; }

        public required Linear Linear { get; init; }

        public required Rope Rope { get; init; }

        public required Attention Attention { get; init; }

        public required SwiGlu SwiGlu { get; init; }

        public required Dora Dora { get; init; }

        public required LayerNorm LayerNorm { get; init; }

        public required Gelu Gelu { get; init; }

        public required DisentangledAttention DisentangledAttention { get; init; }

        public required CrossEntropy CrossEntropy { get; init; }

        public required Embedding Embedding { get; init; }

        public required Elementwise Elementwise { get; init; }

        public required AdamW AdamW { get; init; }

        /// <summary>Floats that each thread, and that all together, need at most.</summary>
        public required Func<WorkSize, (long Thread, long Shared)> Scratch { get; init; }

        public static VectorOps Of<TLanes>(TilePool pool, DType arithmetic, Bf16Tiles? tiles)
            where TLanes : struct, ILanes<TLanes>
        {
            var swiGlu = new SwiGluCpu<TLanes>(pool);
            return new()
            {
                RmsNorm = new RmsNormCpu<TLanes>(pool),
                Linear = new LinearCpu<TLanes>(pool, swiGlu, arithmetic, tiles),
                Rope = new RopeCpu<TLanes>(pool),
                Attention = new AttentionCpu<TLanes>(pool, tiles),
                SwiGlu = swiGlu,
                Dora = new DoraCpu<TLanes>(pool),
                LayerNorm = new LayerNormCpu<TLanes>(pool),
                Gelu = new GeluCpu<TLanes>(pool),
                DisentangledAttention = new DisentangledAttentionCpu<TLanes>(pool),
                CrossEntropy = new CrossEntropyCpu<TLanes>(pool),
                Embedding = new EmbeddingCpu<TLanes>(pool),
                Elementwise = new ElementwiseCpu<TLanes>(pool),
                AdamW = new AdamWCpu<TLanes>(pool),
                Scratch = arithmetic != DType.BFloat16 ? ScratchOf<TLanes>
                    : work => RoundedScratchOf<TLanes>(work, tiles is null || TLanes.Count != Lanes512.Count),
            };
        }

        /// <summary>Narrower vectors, which some shapes take, pad less.</summary>
        private static (long Thread, long Shared) ScratchOf<TLanes>(WorkSize work)
            where TLanes : struct, ILanes<TLanes> => (
            Math.Max(
                Math.Max(Gemm<TLanes>.ScratchCount, Math.Max(2L * work.Columns, DistancesOf<TLanes>(work))),
                Math.Max(
                    AttentionBackwardBlocks<TLanes>.ScratchCount(work.Longest, work.HeadDim),
                    LoraBackwardCpu<TLanes, TLanes>.ThreadCount(work))),
            AttentionParts.MostSums(work) + LoraBackwardCpu<TLanes, TLanes>.SharedCount(work) + Gains(work)
                + (work.QuantizesActivations ? Int8Cpu<TLanes>.ScratchCount(work) : 0));

        /// <summary>What DoRA keeps of its magnitudes and norms.</summary>
        private static long Gains(WorkSize work) => work.Rank > 0 ? work.Columns : 0;

        /// <summary>
        /// Beside the same in fp32: an operand that is rounded or widened, sums that are to be rounded, and packed keys
        /// and values.
        /// </summary>
        /// <param name="emulates">Whether rounded operands are floats.</param>
        private static (long Thread, long Shared) RoundedScratchOf<TLanes>(WorkSize work, bool emulates)
            where TLanes : struct, ILanes<TLanes>
        {
            var (thread, shared) = ScratchOf<TLanes>(work);
            var attention = Bf16AttentionBackward<TLanes, EmulatedProducts<TLanes>>.ScratchCount(
                work.Longest, work.HeadDim);
            static long Floats(int rows, int columns) => (long)(rows + TileCode.Rows) * (columns + PaddingBytes);
            var sums = Floats(work.Rows, work.Columns);
            var rounded = Math.Max(sums, OfLogits());
            var gradient = emulates && work.Rank > 0 ? sums / 2 : 0;
            var packed = 2 * Bf16Attention<TLanes, EmulatedProducts<TLanes>>.Floats(
                work.Rows, work.KeyHeads, work.HeadDim);
            var widened = work.HeadDim % Lanes512.Count == 0 ? 0
                : 4L * work.Rows * (((work.Heads + work.KeyHeads) * work.HeadDim) + ThreadScratch.VectorCount);
            var quantized = work.QuantizesActivations ? Int8Cpu<TLanes>.WidenedCount(work) : 0;
            return (Math.Max(thread, attention), shared + sums + rounded + gradient + packed + widened + quantized
                + LoraSplit<TLanes>.ScratchCount(work));

            // The instruction reads whole pairs of pairs where they lie, unless by columns.
            long OfLogits() => work.Logits.Rows == 0 ? 0
                : emulates ? Floats(work.Logits.Rows, work.Logits.Columns)
                : work.LearnsHead || work.Logits.Columns % 4 != 0 ? Floats(work.Logits.Rows, work.Logits.Columns) / 2
                : 0;
        }

        private static long DistancesOf<TLanes>(WorkSize work)
            where TLanes : struct, ILanes<TLanes> => work.Distances == 0 ? 0
            : DisentangledOperands<TLanes>.ScratchCount(
                work.Longest, Math.Min(work.Distances, (2 * work.Longest) - 1));
    }
}
