using ILGPU;
using ILGPU.Algorithms;

namespace SafeLlama.Kernels;

/// <summary>The equation on a device: a thread group per row.</summary>
public sealed class RmsNormGpu : RmsNorm
{
    private readonly GpuKernel _forward;
    private readonly GpuKernel _backward;
    private readonly GpuKernel _backwardWeight;
    private readonly int _groupSize;

    internal RmsNormGpu(GpuDevice device)
    {
        _forward = new(device, typeof(RmsNormGpu), nameof(ForwardKernel));
        _backward = new(device, typeof(RmsNormGpu), nameof(BackwardKernel));
        _backwardWeight = new(device, typeof(RmsNormGpu), nameof(BackwardWeightKernel));
        _groupSize = device.GroupSize;
    }

    protected override void ForwardCore(Tensor x, Tensor weight, double epsilon, Tensor y, Tensor rstd) =>
        _forward.Launch(new(x.Rows, 1), x, weight, (float)epsilon, x.Columns, y, rstd);

    protected override void BackwardCore(Tensor dy, Tensor x, Tensor weight, Tensor rstd, Tensor dx, Tensor? dweight)
    {
        _backward.Launch(new(x.Rows, 1), dy, x, weight, rstd, x.Columns, dx);
        if (dweight is not null)
        {
            _backwardWeight.Launch(new(((x.Columns - 1) / _groupSize) + 1, 1), dy, x, rstd, x.Rows, x.Columns, dweight);
        }
    }

    /// <summary>One thread group per row; threads stride over eights of columns and meet in a group-wide sum.</summary>
    internal static void ForwardKernel<TX, TY>(
        GpuMatrix<TX> x, GpuWeights weight, float epsilon, int dim, GpuResult<TY> y, GpuFloats rstd)
        where TX : unmanaged, IGpuActivation<TX>
        where TY : unmanaged, IGpuActivation<TY>
    {
        var row = Grid.IdxX;
        var partial = 0f;
        for (var i = Float8.Count * Group.IdxX; i < dim; i += Float8.Count * Group.DimX)
        {
            var part = x.Load(row, i, dim);
            partial += (part * part).Sum();
        }

        var scale = 1f / XMath.Sqrt((GroupReduce.Sum(partial) / dim) + epsilon);
        if (Group.IdxX == 0)
        {
            rstd[row] = scale;
        }

        // The row is read once more, from the cache that the first reading has left it in.
        for (var i = Float8.Count * Group.IdxX; i < dim; i += Float8.Count * Group.DimX)
        {
            y.Store(row, i, dim, scale * (weight.Load(i, dim) * x.Load(row, i, dim)));
        }
    }

    /// <summary>As forward, the sum being that of g · x.</summary>
    internal static void BackwardKernel<TY, TX, TDx>(
        GpuMatrix<TY> dy, GpuMatrix<TX> x, GpuWeights weight, GpuFloats rstd, int dim, GpuResult<TDx> dx)
        where TY : unmanaged, IGpuActivation<TY>
        where TX : unmanaged, IGpuActivation<TX>
        where TDx : unmanaged, IGpuActivation<TDx>
    {
        var row = Grid.IdxX;
        var partial = 0f;
        for (var j = Float8.Count * Group.IdxX; j < dim; j += Float8.Count * Group.DimX)
        {
            partial += (dy.Load(row, j, dim) * weight.Load(j, dim) * x.Load(row, j, dim)).Sum();
        }

        var r = rstd[row];
        var pull = r * r * (GroupReduce.Sum(partial) / dim);
        for (var i = Float8.Count * Group.IdxX; i < dim; i += Float8.Count * Group.DimX)
        {
            var g = dy.Load(row, i, dim) * weight.Load(i, dim);
            dx.Store(row, i, dim, dx.Load(row, i, dim) + (r * (g - (pull * x.Load(row, i, dim)))));
        }
    }

    /// <summary>One thread per column, which adds up its rows from first to last.</summary>
    internal static void BackwardWeightKernel<TY, TX>(
        GpuMatrix<TY> dy, GpuMatrix<TX> x, GpuFloats rstd, int rows, int dim, GpuFloats dweight)
        where TY : unmanaged, IGpuActivation<TY>
        where TX : unmanaged, IGpuActivation<TX>
    {
        var i = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (i >= dim)
        {
            return;
        }

        var sum = 0f;
        for (var n = 0; n < rows; n++)
        {
            sum += dy[n, i] * x[n, i] * rstd[n];
        }

        dweight[i] += sum;
    }
}
