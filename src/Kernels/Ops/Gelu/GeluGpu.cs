using ILGPU;
using ILGPU.Algorithms;

namespace SafeLlama.Kernels;

/// <summary>The unit on a device: threads stride over the elements of a row.</summary>
public sealed class GeluGpu : Gelu
{
    private readonly GpuKernel _forward;
    private readonly GpuKernel _backward;

    internal GeluGpu(GpuDevice device)
    {
        _forward = new(device, typeof(GeluGpu), nameof(ForwardKernel));
        _backward = new(device, typeof(GeluGpu), nameof(BackwardKernel));
    }

    protected override void ForwardCore(Tensor x, Tensor y) =>
        _forward.LaunchRows(x.Rows, x.Columns, x, x.Columns, y);

    protected override void BackwardCore(Tensor dy, Tensor x, Tensor dx) =>
        _backward.LaunchRows(x.Rows, x.Columns, dy, x, x.Columns, dx);

    /// <summary>A row per x, parts of a row along y.</summary>
    internal static void ForwardKernel<T>(GpuMatrix<T> x, int columns, GpuResult<T> y)
        where T : unmanaged, IGpuActivation<T>
    {
        var (row, threads) = (Grid.IdxX, Grid.DimY * Group.DimX);
        for (var i = (Grid.IdxY * Group.DimX) + Group.IdxX; i < columns; i += threads)
        {
            var at = x[row, i];
            y[row, i] = at * Share(at);
        }
    }

    /// <summary>As forward; both operands are read before the result is written: dx may be dy.</summary>
    internal static void BackwardKernel<T>(GpuMatrix<T> dy, GpuMatrix<T> x, int columns, GpuResult<T> dx)
        where T : unmanaged, IGpuActivation<T>
    {
        var (row, threads) = (Grid.IdxX, Grid.DimY * Group.DimX);
        for (var i = (Grid.IdxY * Group.DimX) + Group.IdxX; i < columns; i += threads)
        {
            var at = x[row, i];
            var density = 0.398942280f * XMath.Exp(-0.5f * at * at);
            dx[row, i] = dy[row, i] * (Share(at) + (at * density));
        }
    }

    /// <summary>Φ(x), as on the CPU.</summary>
    private static float Share(float x)
    {
        var t = 1f / (1f + (0.3275911f * 0.707106781f * XMath.Abs(x)));
        var upper = 1.421413741f + (t * (-1.453152027f + (t * 1.061405429f)));
        var p = 0.254829592f + (t * (-0.284496736f + (t * upper)));
        var below = 0.5f * p * t * XMath.Exp(-0.5f * x * x);
        return x < 0f ? below : 1f - below;
    }
}
