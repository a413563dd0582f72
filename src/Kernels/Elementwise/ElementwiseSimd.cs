using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SafeLlama.Kernels;

/// <summary>Rows in tiles; totals as fp64 sums of fixed chunks, added in order.</summary>
internal sealed unsafe class ElementwiseSimd<TLanes>(TilePool pool) : Elementwise
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>A chunk's sum is one number; chunks are cut by the shape alone.</summary>
    private const int ElementsPerChunk = 1 << 15;

    protected override void AddCore(Tensor a, Tensor b, Tensor y)
    {
        var (xs, zs, ys) = (a.AsRows<float>(), b.AsRows<float>(), y.AsRows<float>());
        pool.ForRows(y.Rows, y.Columns, (first, end) =>
        {
            for (var n = first; n < end; n++)
            {
                AddRow(xs.At(n), zs.At(n), ys.At(n), ys.Columns);
            }
        });
    }

    protected override void GatherRowsCore(Tensor x, Tensor row, Tensor y) => CopyRows(x, y, row, gather: true);

    protected override void ScatterRowsCore(Tensor x, Tensor row, Tensor y) => CopyRows(x, y, row, gather: false);

    protected override void SumCore(Tensor x, Tensor total, bool square)
    {
        var xs = x.AsRows<float>();
        var rowsPerChunk = Math.Max(1, ElementsPerChunk / Math.Max(1, x.Columns));
        var chunks = new double[(x.Rows + rowsPerChunk - 1) / rowsPerChunk];
        pool.For(chunks.Length, chunk =>
        {
            var sum = 0.0;
            for (var n = chunk * rowsPerChunk; n < Math.Min(x.Rows, (chunk + 1) * rowsPerChunk); n++)
            {
                sum += SumRow(xs.At(n), xs.Columns, square);
            }

            chunks[chunk] = sum;
        });

        var totals = total.AsElements<double>();
        foreach (var sum in chunks)
        {
            totals[0] += sum;
        }
    }

    /// <summary>Row numbers name rows of x in a gather, rows of y in a scatter.</summary>
    private void CopyRows(Tensor x, Tensor y, Tensor row, bool gather)
    {
        row.MustIndex(0, gather ? x.Rows : y.Rows, gather ? "it names rows of x" : "it names rows of y");
        var rows = row.AsElements<int>();
        var (from, to, size) = ((nint)x.HostPointer(), (nint)y.HostPointer(), x.Type.Size());
        var (fromStride, toStride, bytes) = ((long)x.RowStride * size, (long)y.RowStride * size, y.Columns * size);
        pool.ForRows(rows.Count, y.Columns, (first, end) =>
        {
            for (var n = first; n < end; n++)
            {
                var (source, target) = gather ? (rows[n], n) : (n, rows[n]);
                new ReadOnlySpan<byte>((byte*)from + (source * fromStride), bytes)
                    .CopyTo(new Span<byte>((byte*)to + (target * toStride), bytes));
            }
        });
    }

    /// <summary>Σ x or Σ x² in fp64. Eight sums side by side: one would wait for itself at every addition.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double SumRow(float* x, int count, bool square)
    {
        var (low, high) = (Vector256<double>.Zero, Vector256<double>.Zero);
        var i = 0;
        for (; i <= count - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            var (a, b) = Vector256.Widen(Vector256.Load(x + i));
            low += square ? a * a : a;
            high += square ? b * b : b;
        }

        var sum = Vector256.Sum(low + high);
        for (; i < count; i++)
        {
            sum += square ? (double)x[i] * x[i] : x[i];
        }

        return sum;
    }

    /// <summary>y = a + b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddRow(float* a, float* b, float* y, int count)
    {
        var i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count)
        {
            TLanes.Store(y + i, TLanes.Load(a + i) + TLanes.Load(b + i));
        }

        if (i < count)
        {
            Lanes.Store(y + i, count - i, Lanes.Load<TLanes>(a + i, count - i) + Lanes.Load<TLanes>(b + i, count - i));
        }
    }
}
