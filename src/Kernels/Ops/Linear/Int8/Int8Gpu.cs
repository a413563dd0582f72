using ILGPU;
using ILGPU.Algorithms;

namespace SafeLlama.Kernels;

/// <summary>A product with quantized activations on a device, as <see cref="Int8Reference"/> states it.</summary>
/// <remarks>
/// The product of codes goes through the ordinary product: codes are whole numbers up to 127, exact in bf16, and their
/// sums are exact in fp32 up to 2²⁴. The host never learns which columns are kept apart: their list and its length stay
/// on the device, and the kernel that scales the sums adds those columns.
/// </remarks>
internal sealed class Int8Gpu : IDisposable
{
    private readonly GpuGemm _gemm;
    private readonly GpuKernel _find;
    private readonly GpuKernel _list;
    private readonly GpuKernel _quantize;
    private readonly GpuKernel _finish;
    private readonly GpuScratch _codes;
    private readonly GpuScratch _sums;
    private readonly GpuScratch _scales;
    private readonly GpuScratch _marks;
    private readonly GpuScratch _listed;
    private readonly int _groupSize;

    public Int8Gpu(GpuDevice device, GpuGemm gemm)
    {
        GpuKernel Kernel(string name) => new(device, typeof(Int8Gpu), name);
        (_gemm, _groupSize) = (gemm, device.GroupSize);
        (_find, _list) = (Kernel(nameof(FindKernel)), Kernel(nameof(ListKernel)));
        (_quantize, _finish) = (Kernel(nameof(QuantizeKernel)), Kernel(nameof(FinishKernel)));
        (_codes, _sums) = (new(device, "quantized activations"), new(device, "sums of quantized activations"));
        (_scales, _marks) = (new(device, "scales of activations"), new(device, "columns of large activations"));
        _listed = new(device, "a list of columns");
    }

    public long HeldScratch =>
        _codes.ByteCount + _sums.ByteCount + _scales.ByteCount + _marks.ByteCount + _listed.ByteCount;

    /// <summary>The most that products of so many rows and columns take.</summary>
    public static long ScratchBytes(in WorkSize work, DType activation)
    {
        var (rows, columns) = ((long)work.Rows, (long)work.Columns);
        return !work.QuantizesActivations ? 0
            : (rows * columns * (activation.Size() + sizeof(float))) + (sizeof(float) * (rows + (2 * columns) + 1));
    }

    public void Forward(Tensor x, Tensor weight, Int8Format format, in Epilogue end, Tensor y)
    {
        var (rows, depth, threshold) = (x.Rows, x.Columns, Int8Reference.Threshold(format));
        var q = _codes.Take(new(rows, depth), x.Type, "quantized x");
        var sums = _sums.Take(new(rows, y.Columns), DType.Float32, "sums");
        var scales = _scales.Take(new(rows), DType.Float32, "scales");
        var marks = _marks.Take(new(depth), DType.Float32, "marks");
        var listed = _listed.Take(new(depth + 1), DType.Float32, "list");
        _find.Launch(new(((depth - 1) / _groupSize) + 1, 1), x, rows, depth, threshold, marks);
        _list.Launch(new(1, 1), marks, depth, listed);
        _quantize.Launch(new(rows, 1), x, depth, threshold, marks, scales, q);
        var codes = new Tensor(
            weight.Storage, weight.ByteOffset, weight.Shape, new Int8Codes(depth), depth, weight.Name);
        _gemm.Launch(q, codes, sums, ProductForm.NT);
        _finish.LaunchRows(
            rows, y.Columns, new object[] { sums, scales, listed }, weight, x, end.Bias, end.Residual ?? y, y,
            new Int8Form(y.Columns, depth, end.Bias is null ? 0 : 1, end.Residual is null ? 0 : 1));
    }

    public void Dispose()
    {
        foreach (var scratch in (GpuScratch[])[_codes, _sums, _scales, _marks, _listed])
        {
            scratch.Dispose();
        }
    }

    /// <summary>A thread per column: 1 where any row reaches the threshold, else 0.</summary>
    internal static void FindKernel<T>(GpuMatrix<T> x, int rows, int columns, float threshold, GpuFloats marks)
        where T : unmanaged, IGpuActivation<T>
    {
        var i = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (i >= columns)
        {
            return;
        }

        var mark = 0f;
        for (var n = 0; n < rows; n++)
        {
            mark = XMath.Abs(Half(x[n, i])) >= threshold ? 1f : mark;
        }

        marks[i] = mark;
    }

    /// <summary>One group: the marked columns in rising order, their count behind the last place.</summary>
    internal static void ListKernel(GpuFloats marks, int columns, GpuFloats listed)
    {
        var counts = SharedMemory.Allocate<int>(GroupReduce.MaxGroupSize);
        var part = (columns + Group.DimX - 1) / Group.DimX;
        var (first, end) = (Group.IdxX * part, XMath.Min((Group.IdxX + 1) * part, columns));
        var count = 0;
        for (var i = first; i < end; i++)
        {
            count += marks[i] != 0f ? 1 : 0;
        }

        counts[Group.IdxX] = count;
        Group.Barrier();
        var at = 0;
        for (var thread = 0; thread < Group.IdxX; thread++)
        {
            at += counts[thread];
        }

        for (var i = first; i < end; i++)
        {
            if (marks[i] != 0f)
            {
                listed[at] = i;
                at++;
            }
        }

        if (Group.IdxX == Group.DimX - 1)
        {
            listed[columns] = at;
        }
    }

    /// <summary>A group per row: its largest magnitude below the threshold, then its codes, 0 where apart.</summary>
    internal static void QuantizeKernel<T>(
        GpuMatrix<T> x, int columns, float threshold, GpuFloats marks, GpuFloats scales, GpuResult<T> q)
        where T : unmanaged, IGpuActivation<T>
    {
        var row = Grid.IdxX;
        var most = 0f;
        for (var i = Group.IdxX; i < columns; i += Group.DimX)
        {
            var magnitude = XMath.Abs(Half(x[row, i]));
            most = magnitude < threshold ? XMath.Max(most, magnitude) : most;
        }

        most = GroupReduce.Max(most);
        var factor = most > 0f ? 127f / most : 0f;
        for (var i = Group.IdxX; i < columns; i += Group.DimX)
        {
            q[row, i] = marks[i] != 0f ? 0f : Round(Half(x[row, i]) * factor);
        }

        if (Group.IdxX == 0)
        {
            scales[row] = most;
        }
    }

    /// <summary>A row per x, parts of a row along y.</summary>
    internal static void FinishKernel<TX, TY>(
        Int8Sums from, GpuMatrix<GpuInt8> weight, GpuMatrix<TX> x, GpuWeights bias, GpuMatrix<TY> residual,
        GpuResult<TY> y, Int8Form form)
        where TX : unmanaged, IGpuActivation<TX>
        where TY : unmanaged, IGpuActivation<TY>
    {
        var (n, threads) = (Grid.IdxX, Grid.DimY * Group.DimX);
        var (scale, count) = (from.Scales[n], (int)from.Listed[form.Depth]);
        for (var o = (Grid.IdxY * Group.DimX) + Group.IdxX; o < form.Columns; o += threads)
        {
            var absmax = GpuInt8.Absmax(weight.FirstOf(o));
            var value = from.Sums[n, o] * (scale * absmax * Int8Reference.Unit);
            for (var j = 0; j < count; j++)
            {
                var i = (int)from.Listed[j];
                value += x[n, i] * weight[o, i];
            }

            value += form.HasBias != 0 ? bias[o] : 0f;
            y[n, o] = form.HasResidual != 0 ? residual[n, o] + value : value;
        }
    }

    /// <summary>To the nearest whole number, ties to even, of magnitudes below 2²².</summary>
    private static float Round(float x)
    {
        const float Shift = 3 << 22;
        return x + Shift - Shift;
    }

    /// <summary>Rounds to the nearest fp16 as <see cref="Int8Quantizer.RoundToHalf"/> does.</summary>
    private static float Half(float x)
    {
        var (bits, magnitude) = (Interop.FloatAsInt(x), XMath.Abs(x));
        var sign = bits & 0x80000000u;
        bits &= 0x7FFFFFFFu;
        var normal = Interop.IntAsFloat((bits + 0xFFFu + ((bits >> 13) & 1u)) & ~0x1FFFu);
        var small = magnitude + 0.5f - 0.5f;
        var rounded = magnitude < 1f / (1 << 14) ? small : normal;
        rounded = magnitude < 65520f ? rounded : magnitude + float.PositiveInfinity;
        return Interop.IntAsFloat(Interop.FloatAsInt(rounded) | sign);
    }
}

/// <summary>What the products of codes left: sums [N, D_out], the rows' scales, and the list of columns
/// apart.</summary>
internal readonly struct Int8Sums(GpuMatrix<GpuFloat32> sums, GpuFloats scales, GpuFloats listed) : IGpuArguments
{
    public readonly GpuMatrix<GpuFloat32> Sums = sums;
    public readonly GpuFloats Scales = scales;
    public readonly GpuFloats Listed = listed;
}

/// <summary>Sizes, and what is added. Truths are 0 or 1.</summary>
internal readonly record struct Int8Form(int Columns, int Depth, int HasBias, int HasResidual);
