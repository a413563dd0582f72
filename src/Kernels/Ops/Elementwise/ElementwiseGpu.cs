using ILGPU;
using SafeLlama.Common;

namespace SafeLlama.Kernels;

/// <summary>Copies and totals on a device.</summary>
public sealed class ElementwiseGpu : Elementwise
{
    /// <summary>Groups that share a total. Fixed, so that the order of a sum does not depend on the device.</summary>
    private const int Parts = 256;

    private readonly GpuKernel _gather;
    private readonly GpuKernel _scatter;
    private readonly GpuKernel _add;
    private readonly GpuKernel _noise;
    private readonly GpuKernel _sumParts;
    private readonly GpuKernel _sumTotal;
    private readonly Tensor _parts;

    internal ElementwiseGpu(GpuDevice device, Tensor parts)
    {
        _gather = Kernel(nameof(GatherRowsKernel));
        _scatter = Kernel(nameof(ScatterRowsKernel));
        _add = Kernel(nameof(AddKernel));
        _noise = Kernel(nameof(AddNoiseKernel));
        _sumParts = Kernel(nameof(SumPartsKernel));
        _sumTotal = Kernel(nameof(SumTotalKernel));
        _parts = parts;

        GpuKernel Kernel(string name) => new(device, typeof(ElementwiseGpu), name);
    }

    /// <summary>Scratch for totals: one number per part.</summary>
    internal static Shape PartsShape => new(Parts);

    protected override void GatherRowsCore(Tensor x, Tensor row, Tensor y) =>
        _gather.LaunchRows(y.Rows, y.Columns, x, row, y.Columns, y);

    protected override void ScatterRowsCore(Tensor x, Tensor row, Tensor y) =>
        _scatter.LaunchRows(x.Rows, x.Columns, x, row, x.Columns, y);

    protected override void AddCore(Tensor x, Tensor y) => _add.LaunchRows(x.Rows, x.Columns, x, x.Columns, y);

    protected override void SumCore(Tensor x, Tensor total, bool square)
    {
        _sumParts.Launch(new(Parts, 1), x, x.Rows, x.Columns, square ? 1 : 0, _parts);
        _sumTotal.Launch(new(1, 1), _parts, Parts, total);
    }

    protected override void AddNoiseCore(Philox stream, Tensor scale, Tensor y) =>
        _noise.LaunchRows(y.Rows, y.Columns, stream, scale, y, y.Columns, y);

    /// <summary>A row per x, parts of a row along y.</summary>
    internal static void AddNoiseKernel<T>(
        Philox stream, GpuFloats scale, GpuMatrix<T> x, int columns, GpuResult<T> y)
        where T : unmanaged, IGpuActivation<T>
    {
        var (row, threads) = (Grid.IdxX, Grid.DimY * Group.DimX);
        var factor = scale[row] * (1f / 2147483648f);
        for (var i = (Grid.IdxY * Group.DimX) + Group.IdxX; i < columns; i += threads)
        {
            y[row, i] = x[row, i] + (factor * (int)stream.UInt32((row * (long)columns) + i));
        }
    }

    /// <summary>A row of the result per x, parts of a row along y.</summary>
    internal static void GatherRowsKernel<T>(GpuMatrix<T> x, GpuInts rows, int columns, GpuResult<T> y)
        where T : unmanaged, IGpuActivation<T>
    {
        var (row, threads) = (Grid.IdxX, Grid.DimY * Group.DimX);
        var from = rows[row];
        for (var i = Float8.Count * ((Grid.IdxY * Group.DimX) + Group.IdxX); i < columns; i += Float8.Count * threads)
        {
            y.Store(row, i, columns, x.Load(from, i, columns));
        }
    }

    /// <summary>A row of x per x.</summary>
    internal static void ScatterRowsKernel<T>(GpuMatrix<T> x, GpuInts rows, int columns, GpuResult<T> y)
        where T : unmanaged, IGpuActivation<T>
    {
        var (row, threads) = (Grid.IdxX, Grid.DimY * Group.DimX);
        var to = rows[row];
        for (var i = Float8.Count * ((Grid.IdxY * Group.DimX) + Group.IdxX); i < columns; i += Float8.Count * threads)
        {
            y.Store(to, i, columns, x.Load(row, i, columns));
        }
    }

    /// <summary>A row per x, parts of a row along y.</summary>
    internal static void AddKernel<T>(GpuMatrix<T> x, int columns, GpuResult<T> y)
        where T : unmanaged, IGpuActivation<T>
    {
        var (row, threads) = (Grid.IdxX, Grid.DimY * Group.DimX);
        for (var i = Float8.Count * ((Grid.IdxY * Group.DimX) + Group.IdxX); i < columns; i += Float8.Count * threads)
        {
            y.Store(row, i, columns, y.Load(row, i, columns) + x.Load(row, i, columns));
        }
    }

    /// <summary>Each group adds up its share of all eights in fp64.</summary>
    internal static void SumPartsKernel<T>(GpuMatrix<T> x, int rows, int columns, int square, GpuDoubles parts)
        where T : unmanaged, IGpuActivation<T>
    {
        var sum = 0.0;
        var eights = (columns + Float8.Count - 1) / Float8.Count;
        var (count, threads) = (rows * (long)eights, Grid.DimX * (long)Group.DimX);
        for (var e = (Grid.IdxX * (long)Group.DimX) + Group.IdxX; e < count; e += threads)
        {
            var part = x.Load(e / eights, Float8.Count * (int)(e % eights), columns);
            sum += square != 0 ? part.SumOfSquares() : part.WideSum();
        }

        sum = GroupReduce.Sum(sum);
        if (Group.IdxX == 0)
        {
            parts[Grid.IdxX] = sum;
        }
    }

    /// <summary>One group adds up the parts.</summary>
    internal static void SumTotalKernel(GpuDoubles parts, int count, GpuDoubles total)
    {
        var sum = 0.0;
        for (var part = Group.IdxX; part < count; part += Group.DimX)
        {
            sum += parts[part];
        }

        sum = GroupReduce.Sum(sum);
        if (Group.IdxX == 0)
        {
            total[0] += sum;
        }
    }
}
