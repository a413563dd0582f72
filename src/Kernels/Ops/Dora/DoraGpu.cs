using ILGPU;
using ILGPU.Algorithms;

namespace SafeLlama.Kernels;

/// <summary>The equation on a device: a thread group per row of W, threads over the elements of z.</summary>
public sealed class DoraGpu : Dora
{
    private readonly GpuKernel _norm;
    private readonly GpuKernel _forward;
    private readonly GpuKernel _backward;
    private readonly GpuKernel _backwardMagnitude;
    private readonly int _groupSize;

    internal DoraGpu(GpuDevice device)
    {
        _norm = new(device, typeof(DoraGpu), nameof(NormKernel));
        _forward = new(device, typeof(DoraGpu), nameof(ForwardKernel));
        _backward = new(device, typeof(DoraGpu), nameof(BackwardKernel));
        _backwardMagnitude = new(device, typeof(DoraGpu), nameof(BackwardMagnitudeKernel));
        _groupSize = device.GroupSize;
    }

    protected override void NormCore(Tensor weight, Tensor a, Tensor b, double scale, Tensor norm) =>
        _norm.Launch(new(weight.Rows, 1), weight, a, b, (float)scale, a.Rows, weight.Columns, norm);

    protected override void ForwardCore(
        Tensor z, Tensor magnitude, Tensor norm, Tensor? bias, Tensor? residual, Tensor y)
    {
        var added = (bias is null ? 0 : 1) | (residual is null ? 0 : 2);
        _forward.LaunchRows(
            z.Rows, z.Columns, z, magnitude, norm, bias, residual ?? y, added, z.Columns, y);
    }

    protected override void BackwardCore(
        Tensor dy, Tensor z, Tensor magnitude, Tensor norm, Tensor dz, Tensor dmagnitude)
    {
        _backwardMagnitude.Launch(
            new(((z.Columns - 1) / _groupSize) + 1, 1), dy, z, norm, z.Rows, z.Columns, dmagnitude);
        _backward.LaunchRows(z.Rows, z.Columns, dy, magnitude, norm, z.Columns, dz);
    }

    /// <summary>One thread group per row; threads stride over eights of columns and meet in a group-wide sum.</summary>
    internal static void NormKernel<T>(
        GpuMatrix<T> weight, GpuMatrix<GpuFloat32> a, GpuMatrix<GpuFloat32> b, float scale, int rank, int columns,
        GpuFloats norm)
        where T : unmanaged, IGpuStored<T>
    {
        var row = Grid.IdxX;
        var partial = 0f;
        for (var i = Float8.Count * Group.IdxX; i < columns; i += Float8.Count * Group.DimX)
        {
            var changed = weight.Load(row, i, columns);
            for (var k = 0; k < rank; k++)
            {
                changed += scale * b[row, k] * a.Load(k, i, columns);
            }

            partial += (changed * changed).Sum();
        }

        var sum = GroupReduce.Sum(partial);
        if (Group.IdxX == 0)
        {
            norm[row] = XMath.Sqrt(sum);
        }
    }

    /// <summary>A row per x, parts of a row along y.</summary>
    /// <param name="added">1 where there is a bias, 2 where there is a residual.</param>
    internal static void ForwardKernel<TZ, TY>(
        GpuMatrix<TZ> z, GpuFloats magnitude, GpuFloats norm, GpuWeights bias, GpuMatrix<TY> residual, int added,
        int columns, GpuResult<TY> y)
        where TZ : unmanaged, IGpuActivation<TZ>
        where TY : unmanaged, IGpuActivation<TY>
    {
        var (row, threads) = (Grid.IdxX, Grid.DimY * Group.DimX);
        for (var i = (Grid.IdxY * Group.DimX) + Group.IdxX; i < columns; i += threads)
        {
            var value = Quotient(magnitude[i], norm[i]) * z[row, i];
            value += (added & 1) != 0 ? bias[i] : 0f;
            value += (added & 2) != 0 ? residual[row, i] : 0f;
            y[row, i] = value;
        }
    }

    /// <summary>As forward.</summary>
    internal static void BackwardKernel<TY, TZ>(
        GpuMatrix<TY> dy, GpuFloats magnitude, GpuFloats norm, int columns, GpuResult<TZ> dz)
        where TY : unmanaged, IGpuActivation<TY>
        where TZ : unmanaged, IGpuActivation<TZ>
    {
        var (row, threads) = (Grid.IdxX, Grid.DimY * Group.DimX);
        for (var i = (Grid.IdxY * Group.DimX) + Group.IdxX; i < columns; i += threads)
        {
            dz[row, i] = Quotient(magnitude[i], norm[i]) * dy[row, i];
        }
    }

    /// <summary>One thread per column, which adds up its rows from first to last.</summary>
    internal static void BackwardMagnitudeKernel<TY, TZ>(
        GpuMatrix<TY> dy, GpuMatrix<TZ> z, GpuFloats norm, int rows, int columns, GpuFloats dmagnitude)
        where TY : unmanaged, IGpuActivation<TY>
        where TZ : unmanaged, IGpuActivation<TZ>
    {
        var o = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (o >= columns)
        {
            return;
        }

        var sum = 0f;
        for (var n = 0; n < rows; n++)
        {
            sum += dy[n, o] * z[n, o];
        }

        dmagnitude[o] += Quotient(sum, norm[o]);
    }

    private static float Quotient(float value, float norm) => norm == 0f ? 0f : value / norm;
}
