using ILGPU;
using ILGPU.Algorithms;

namespace SafeLlama.Kernels;

/// <summary>The loss on a device: a thread group per row of logits.</summary>
public sealed class CrossEntropyGpu : CrossEntropy
{
    private readonly GpuKernel _forward;
    private readonly GpuKernel _backward;

    internal CrossEntropyGpu(GpuDevice device)
    {
        _forward = new(device, typeof(CrossEntropyGpu), nameof(ForwardKernel));
        _backward = new(device, typeof(CrossEntropyGpu), nameof(BackwardKernel));
    }

    protected override void ForwardCore(Tensor logits, Tensor targets, Tensor nll, Tensor logSum) =>
        _forward.Launch(new(logits.Rows, 1), logits, targets, logits.Columns, nll, logSum);

    protected override void BackwardCore(Tensor logits, Tensor targets, Tensor logSum, double scale, Tensor dlogits) =>
        _backward.LaunchRows(
            logits.Rows, logits.Columns, logits, targets, logSum, logits.Columns, (float)scale, dlogits);

    /// <summary>
    /// Threads stride over the vocabulary once: each keeps its largest logit so far and Σ exp(logit − largest), which
    /// is scaled down when a larger one comes.
    /// </summary>
    internal static void ForwardKernel<T>(
        GpuMatrix<T> logits, GpuInts targets, int vocabulary, GpuFloats nll, GpuFloats logSum)
        where T : unmanaged, IGpuActivation<T>
    {
        var row = Grid.IdxX;
        var (max, sum) = (float.MinValue, 0f);
        for (var v = Float8.Count * Group.IdxX; v < vocabulary; v += Float8.Count * Group.DimX)
        {
            var part = logits.Load(row, v, vocabulary, float.NegativeInfinity);
            var larger = XMath.Max(max, part.Max());
            sum = (sum * XMath.Exp(max - larger)) + Float8.Exp(part - Float8.All(larger)).Sum();
            max = larger;
        }

        var largest = GroupReduce.Max(max);
        sum = GroupReduce.Sum(sum * XMath.Exp(max - largest));
        if (Group.IdxX == 0)
        {
            var total = largest + XMath.Log(sum);
            logSum[row] = total;
            nll[row] = targets[row] < 0 ? 0f : total - logits[row, targets[row]];
        }
    }

    /// <summary>A row per x, parts of the vocabulary along y; dlogits may be the logits.</summary>
    internal static void BackwardKernel<T>(
        GpuMatrix<T> logits, GpuInts targets, GpuFloats logSum, int vocabulary, float scale, GpuResult<T> dlogits)
        where T : unmanaged, IGpuActivation<T>
    {
        var (row, threads) = (Grid.IdxX, Grid.DimY * Group.DimX);
        var (target, total) = (targets[row], logSum[row]);
        var counted = target < 0 ? 0f : scale;
        for (var v = Float8.Count * ((Grid.IdxY * Group.DimX) + Group.IdxX);
            v < vocabulary;
            v += Float8.Count * threads)
        {
            var p = Float8.Exp(logits.Load(row, v, vocabulary) - Float8.All(total));
            dlogits.Store(row, v, vocabulary, counted * (p - Float8.OneAt(target - v)));
        }
    }
}
