using ILGPU;
using ILGPU.Algorithms;
using SafeLlama.Common;

namespace SafeLlama.Kernels;

/// <summary>The equation on a device: a thread group per row and head, a key per thread.</summary>
/// <remarks>Portable and plain: scores are computed where they are used and never stored as a matrix.</remarks>
public sealed class DisentangledAttentionGpu : DisentangledAttention
{
    private readonly GpuKernel _forward;
    private readonly GpuKernel _backwardQuery;
    private readonly GpuKernel _backwardKey;
    private readonly GpuKernel _backwardRelative;

    internal DisentangledAttentionGpu(GpuDevice device)
    {
        _forward = new(device, typeof(DisentangledAttentionGpu), nameof(ForwardKernel));
        _backwardQuery = Backward(nameof(DisentangledGpuBackward.QueryKernel));
        _backwardKey = Backward(nameof(DisentangledGpuBackward.KeyKernel));
        _backwardRelative = Backward(nameof(DisentangledGpuBackward.RelativeKernel));

        GpuKernel Backward(string name) => new(device, typeof(DisentangledGpuBackward), name);
    }

    protected override void ForwardCore(
        in DisentangledInput input, int headDim, double scale, Tensor y, Tensor logSum)
    {
        _forward.Launch(
            new(input.Query.Rows, logSum.Columns), Operands(input), ShapeOf(input, headDim, scale), y, logSum);
    }

    protected override void BackwardCore(
        Tensor dy, in DisentangledInput input, int headDim, double scale, Tensor logSum,
        in DisentangledGradients into)
    {
        var (operands, shape) = (Operands(input), ShapeOf(input, headDim, scale));
        var (rows, heads) = (input.Query.Rows, logSum.Columns);
        _backwardQuery.Launch(new(rows, heads), dy, operands, shape, logSum, into.Delta, into.Query);
        _backwardKey.Launch(new(rows, heads), dy, operands, shape, logSum, into.Delta, into.Key, into.Value);
        _backwardRelative.Launch(
            new(input.Relative.Key.Rows, heads), dy, operands, shape, logSum, into.Delta, into.RelativeKey,
            into.RelativeQuery);
    }

    /// <summary>As <see cref="GpuDisentangledInput{T}"/> takes them.</summary>
    private static object?[] Operands(in DisentangledInput input) =>
    [
        input.Query, input.Key, input.Value, input.Relative.Key, input.Relative.Query, input.Relative.Bucket,
        input.FirstKey, input.LastKey,
    ];

    /// <summary>
    /// Each tile of keys updates the running maximum, Σ exp(s − m) and Σ exp(s − m) · v, as in
    /// <see cref="AttentionGpu"/>.
    /// </summary>
    internal static void ForwardKernel<T>(
        GpuDisentangledInput<T> input, DisentangledShape shape, GpuResult<T> y, GpuResult<GpuFloat32> logSum)
        where T : unmanaged, IGpuActivation<T>
    {
        var weights = SharedMemory.Allocate<float>(GroupReduce.MaxGroupSize);
        var output = SharedMemory.Allocate<float>(DisentangledShape.MaxHeadDim);
        var (row, head) = (Grid.IdxX, Grid.IdxY);
        var column = head * shape.HeadDim;
        for (var e = Group.IdxX; e < shape.HeadDim; e += Group.DimX)
        {
            output[e] = 0f;
        }

        var (max, sum, last) = (float.NegativeInfinity, 0f, input.LastKey[row]);
        for (var tile = input.FirstKey[row]; tile <= last; tile += Group.DimX)
        {
            var key = tile + Group.IdxX;
            var score = key <= last ? Score(input, shape, (row, key), column) : float.NegativeInfinity;
            var higher = XMath.Max(max, GroupReduce.Max(score));
            var worth = XMath.Exp(max - higher);
            var weight = XMath.Exp(score - higher);
            weights[Group.IdxX] = weight;
            sum = (sum * worth) + GroupReduce.Sum(weight);
            max = higher;
            var keys = XMath.Min(Group.DimX, last - tile + 1);
            for (var e = Group.IdxX; e < shape.HeadDim; e += Group.DimX)
            {
                var value = output[e] * worth;
                for (var c = 0; c < keys; c++)
                {
                    value += weights[c] * input.Value[tile + c, column + e];
                }

                output[e] = value;
            }

            Group.Barrier();
        }

        for (var e = Group.IdxX; e < shape.HeadDim; e += Group.DimX)
        {
            y[row, column + e] = output[e] / sum;
        }

        if (Group.IdxX == 0)
        {
            logSum[row, head] = max + XMath.Log(sum);
        }
    }

    /// <summary>s[i, j] of one head.</summary>
    internal static float Score<T>(
        GpuDisentangledInput<T> input, DisentangledShape shape, (int Query, int Key) rows, int column)
        where T : unmanaged, IGpuActivation<T>
    {
        var ((i, j), sum) = (rows, 0f);
        var distance = input.Bucket[shape.Reach - 1 + i - j];
        for (var e = column; e < column + shape.HeadDim; e++)
        {
            var key = input.Key[j, e];
            sum += (input.Query[i, e] * (key + input.RelativeKey[distance, e]))
                + (key * input.RelativeQuery[distance, e]);
        }

        return shape.Scale * sum;
    }

    private static DisentangledShape ShapeOf(in DisentangledInput input, int headDim, double scale) =>
        headDim <= DisentangledShape.MaxHeadDim
            ? new(input.Query.Rows, input.Relative.Reach, headDim, (float)scale)
            : throw SafeLlamaException.Usage(
                $"Attention: heads of {headDim} do not fit the GPU's shared memory, which holds "
                + $"{DisentangledShape.MaxHeadDim}. Compute on the CPU.");
}

/// <summary>The sizes of a disentangled attention inside kernels.</summary>
internal readonly struct DisentangledShape(int rows, int reach, int headDim, float scale)
{
    /// <summary>Columns of a head that shared memory has room for.</summary>
    public const int MaxHeadDim = 256;

    public readonly int Rows = rows, Reach = reach, HeadDim = headDim;
    public readonly float Scale = scale;
}

/// <summary>A <see cref="DisentangledInput"/> inside kernels.</summary>
internal readonly record struct GpuDisentangledInput<T>(
    GpuMatrix<T> Query, GpuMatrix<T> Key, GpuMatrix<T> Value, GpuMatrix<T> RelativeKey, GpuMatrix<T> RelativeQuery,
    GpuInts Bucket, GpuInts FirstKey, GpuInts LastKey) : IGpuArguments
    where T : unmanaged, IGpuActivation<T>;
