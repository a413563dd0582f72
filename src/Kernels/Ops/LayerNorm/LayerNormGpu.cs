using ILGPU;
using ILGPU.Algorithms;

namespace SafeLlama.Kernels;

/// <summary>The equation on a device: a thread group per row.</summary>
public sealed class LayerNormGpu : LayerNorm
{
    private readonly GpuKernel _forward;
    private readonly GpuKernel _backward;
    private readonly GpuKernel _backwardWeight;
    private readonly int _groupSize;

    internal LayerNormGpu(GpuDevice device)
    {
        _forward = new(device, typeof(LayerNormGpu), nameof(ForwardKernel));
        _backward = new(device, typeof(LayerNormGpu), nameof(BackwardKernel));
        _backwardWeight = new(device, typeof(LayerNormGpu), nameof(BackwardWeightKernel));
        _groupSize = device.GroupSize;
    }

    protected override void ForwardCore(
        Tensor x, Tensor weight, Tensor bias, double epsilon, Tensor y, Tensor mean, Tensor rstd) =>
        _forward.Launch(new(x.Rows, 1), x, weight, bias, (float)epsilon, x.Columns, y, mean, rstd);

    protected override void BackwardCore(
        Tensor dy, Tensor x, Tensor weight, Tensor mean, Tensor rstd, Tensor dx, Tensor? dweight, Tensor? dbias)
    {
        _backward.Launch(new(x.Rows, 1), dy, x, weight, mean, rstd, x.Columns, dx);
        if (dweight is not null)
        {
            _backwardWeight.Launch(
                new(((x.Columns - 1) / _groupSize) + 1, 1), dy, x, mean, rstd, x.Rows, x.Columns, dweight, dbias);
        }
    }

    /// <summary>One thread group per row; two sums over the group, then the result.</summary>
    internal static void ForwardKernel<TX, TY>(
        GpuMatrix<TX> x, GpuWeights weight, GpuWeights bias, float epsilon, int dim, GpuResult<TY> y, GpuFloats mean,
        GpuFloats rstd)
        where TX : unmanaged, IGpuActivation<TX>
        where TY : unmanaged, IGpuActivation<TY>
    {
        var row = Grid.IdxX;
        var partial = 0f;
        for (var i = Float8.Count * Group.IdxX; i < dim; i += Float8.Count * Group.DimX)
        {
            partial += x.Load(row, i, dim).Sum();
        }

        var average = GroupReduce.Sum(partial) / dim;
        partial = 0f;
        for (var i = Float8.Count * Group.IdxX; i < dim; i += Float8.Count * Group.DimX)
        {
            var distance = x.Load(row, i, dim, average) - Float8.All(average);
            partial += (distance * distance).Sum();
        }

        var scale = 1f / XMath.Sqrt((GroupReduce.Sum(partial) / dim) + epsilon);
        if (Group.IdxX == 0)
        {
            mean[row] = average;
            rstd[row] = scale;
        }

        for (var i = Float8.Count * Group.IdxX; i < dim; i += Float8.Count * Group.DimX)
        {
            var normalized = scale * (x.Load(row, i, dim) - Float8.All(average));
            y.Store(row, i, dim, (weight.Load(i, dim) * normalized) + bias.Load(i, dim));
        }
    }

    /// <summary>As forward, the sums being those of g and of g · x̂.</summary>
    internal static void BackwardKernel<TY, TX, TDx>(
        GpuMatrix<TY> dy, GpuMatrix<TX> x, GpuWeights weight, GpuFloats mean, GpuFloats rstd, int dim,
        GpuResult<TDx> dx)
        where TY : unmanaged, IGpuActivation<TY>
        where TX : unmanaged, IGpuActivation<TX>
        where TDx : unmanaged, IGpuActivation<TDx>
    {
        var row = Grid.IdxX;
        var (average, scale) = (Float8.All(mean[row]), rstd[row]);
        var (sumG, sumGx) = (0f, 0f);
        for (var j = Float8.Count * Group.IdxX; j < dim; j += Float8.Count * Group.DimX)
        {
            var g = dy.Load(row, j, dim) * weight.Load(j, dim);
            sumG += g.Sum();
            sumGx += (g * (scale * (x.Load(row, j, dim) - average))).Sum();
        }

        var meanG = Float8.All(GroupReduce.Sum(sumG) / dim);
        var meanGx = GroupReduce.Sum(sumGx) / dim;
        for (var i = Float8.Count * Group.IdxX; i < dim; i += Float8.Count * Group.DimX)
        {
            var g = dy.Load(row, i, dim) * weight.Load(i, dim);
            var normalized = scale * (x.Load(row, i, dim) - average);
            dx.Store(row, i, dim, dx.Load(row, i, dim) + (scale * (g - meanG - (meanGx * normalized))));
        }
    }

    /// <summary>One thread per column, which adds up its rows from first to last.</summary>
    internal static void BackwardWeightKernel<TY, TX>(
        GpuMatrix<TY> dy, GpuMatrix<TX> x, GpuFloats mean, GpuFloats rstd, int rows, int dim, GpuFloats dweight,
        GpuFloats dbias)
        where TY : unmanaged, IGpuActivation<TY>
        where TX : unmanaged, IGpuActivation<TX>
    {
        var i = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (i >= dim)
        {
            return;
        }

        var (scale, shift) = (0f, 0f);
        for (var n = 0; n < rows; n++)
        {
            var d = dy[n, i];
            scale += d * (x[n, i] - mean[n]) * rstd[n];
            shift += d;
        }

        dweight[i] += scale;
        dbias[i] += shift;
    }
}
