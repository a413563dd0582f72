using ILGPU;

namespace SafeLlama.Kernels;

/// <summary>
/// Attention of bf16 on tensor cores, for compute capability 8.0 and later: which kernel, how many groups.
/// </summary>
internal sealed class FlashAttention
{
    private const int MaxHeadDim = 128;

    private readonly Kernels _head64;
    private readonly Kernels _head96;
    private readonly Kernels _head128;

    public FlashAttention(GpuDevice device) => (_head64, _head96, _head128) =
        (Kernels.For<Head64>(device), Kernels.For<Head96>(device), Kernels.For<Head128>(device));

    /// <summary>
    /// Whether tensors can be computed with here: bf16, rows and heads of whole 16-byte chunks, heads of up to 128.
    /// </summary>
    public static bool Supports(int headDim, double scale, params ReadOnlySpan<Tensor> tensors)
    {
        var supported = headDim % 8 == 0 && headDim <= MaxHeadDim && scale > 0;
        foreach (var tensor in tensors)
        {
            supported &= tensor.Type == DType.BFloat16 && tensor.RowStride % 8 == 0 && tensor.ByteOffset % 16 == 0;
        }

        return supported;
    }

    public void Forward(in AttentionInput input, AttentionShape shape, Tensor y, Tensor logSum)
    {
        var (q, k, v, firstKey, lastKey, _, _) = input;
        Of(shape).Forward.Launch(
            Groups(shape.Queries, k, shape), Operand(q), Operand(k), Operand(v), firstKey, lastKey, shape, Chunks(y),
            Operand(logSum));
    }

    /// <summary>δ must have been computed.</summary>
    public void Backward(
        Tensor dy, in AttentionInput input, AttentionShape shape, Tensor logSum, Tensor delta,
        in AttentionGradients into)
    {
        var (q, k, v, firstKey, lastKey, _, _) = input;
        var (dq, dk, dv) = into;
        var statistics = new FlashStatistics(
            Operand(firstKey).Address, Operand(lastKey).Address, Operand(logSum).Address, Operand(delta).Address,
            logSum.RowStride);
        var operands = new FlashOperands(Operand(dy), Operand(q), Operand(k), Operand(v));
        var kernels = Of(shape);
        kernels.Query.Launch(
            Groups(shape.Queries, k, shape), operands, firstKey, lastKey, shape, logSum, delta, Chunks(dq));
        var groups = Groups(shape.KeyRows, k, shape);
        kernels.Key.Launch(groups, operands, firstKey, lastKey, shape, statistics, Chunks(dk));
        kernels.Value.Launch(
            groups, operands.Dy, operands.Query, operands.Key, firstKey, lastKey, shape, statistics, Chunks(dv));
    }

    private Kernels Of(AttentionShape shape) =>
        shape.HeadDim <= 64 ? _head64 : shape.HeadDim <= 96 ? _head96 : _head128;

    private static Index2D Groups(int rows, Tensor k, AttentionShape shape) =>
        new(((rows - 1) / FlashTile.Rows) + 1, k.Columns / shape.HeadDim);

    private static FlashOperand Operand(Tensor tensor) =>
        new(GpuArguments.Memory(tensor).Address(tensor.ByteOffset), tensor.Shape.Rank == 1 ? 1 : tensor.RowStride);

    private static GpuChunks Chunks(Tensor tensor) =>
        new(GpuArguments.Memory(tensor).As<Chunk>(), tensor.ByteOffset / 16, tensor.RowStride / 8);

    /// <summary>The kernels of one head size.</summary>
    private sealed record Kernels(GpuKernel Forward, GpuKernel Query, GpuKernel Key, GpuKernel Value)
    {
        public static Kernels For<THead>(GpuDevice device)
            where THead : unmanaged, IHeadSize<THead>
        {
            GpuKernel Make(Type owner, string name) =>
                new(device, owner, name, FlashTile.SharedBytes<THead>(), typeof(THead));
            return new(
                Make(typeof(FlashForward), nameof(FlashForward.ForwardKernel)),
                Make(typeof(FlashBackward), nameof(FlashBackward.QueryKernel)),
                Make(typeof(FlashBackward), nameof(FlashBackward.KeyKernel)),
                Make(typeof(FlashBackward), nameof(FlashBackward.ValueKernel)));
        }
    }
}
