using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SafeLlama.Common;

namespace SafeLlama.Kernels;

/// <summary>Rows in tiles; totals as fp64 sums of fixed chunks, added in order.</summary>
internal sealed unsafe class ElementwiseCpu<TLanes>(TilePool pool) : Elementwise
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>A chunk's sum is one number; chunks are cut by the shape alone.</summary>
    private const int ElementsPerChunk = 1 << 15;

    private readonly GrowingScratch _sums = new("sums of chunks");

    protected override void GatherRowsCore(Tensor x, Tensor row, Tensor y) => CopyRows(x, y, row, gather: true);

    protected override void ScatterRowsCore(Tensor x, Tensor row, Tensor y) => CopyRows(x, y, row, gather: false);

    protected override void AddCore(Tensor x, Tensor y)
    {
        var op = (X: x.AsRows<float>(), Y: y.AsRows<float>());
        pool.ForRows(x.Rows, x.Columns, op, static (in t, first, end) =>
        {
            for (var n = first; n < end; n++)
            {
                AddRow(t.X.At(n), t.Y.At(n), t.X.Columns);
            }
        });
    }

    protected override void SumCore(Tensor x, Tensor total, bool square)
    {
        var rowsPerChunk = Math.Max(1, ElementsPerChunk / Math.Max(1, x.Columns));
        var chunks = (x.Rows + rowsPerChunk - 1) / rowsPerChunk;
        var sums = (double*)_sums.Floats(2L * chunks);
        var op = (X: x.AsRows<float>(), x.Rows, rowsPerChunk, square, Sums: (nint)sums);
        pool.For(chunks, op, static (in t, chunk) =>
        {
            var sum = 0.0;
            var end = Math.Min(t.Rows, (chunk + 1) * t.rowsPerChunk);
            for (var n = chunk * t.rowsPerChunk; n < end; n++)
            {
                sum += SumRow(t.X.At(n), t.X.Columns, t.square);
            }

            ((double*)t.Sums)[chunk] = sum;
        });

        var totals = total.AsElements<double>();
        for (var chunk = 0; chunk < chunks; chunk++)
        {
            totals[0] += sums[chunk];
        }
    }

    protected override void AddNoiseCore(Philox stream, Tensor scale, Tensor y)
    {
        var op = (stream, Scale: scale.AsElements<float>(), Y: y.AsRows<float>());
        pool.ForRows(y.Rows, 8L * y.Columns, op, static (in t, first, end) =>
        {
            for (var n = first; n < end; n++)
            {
                var row = t.Y.At(n);
                var factor = t.Scale[n] / -(float)int.MinValue;
                for (var i = 0; i < t.Y.Columns; i++)
                {
                    row[i] += factor * (int)t.stream.UInt32(((long)n * t.Y.Columns) + i);
                }
            }
        });
    }

    /// <summary>Row numbers name rows of x in a gather, rows of y in a scatter.</summary>
    private void CopyRows(Tensor x, Tensor y, Tensor row, bool gather)
    {
        row.RequireIndices(0, gather ? x.Rows : y.Rows, gather ? "it names rows of x" : "it names rows of y");
        var op = (x, y, Rows: row.AsElements<int>(), gather);
        pool.ForRows(op.Rows.Count, y.Columns, op, static (in t, first, end) =>
        {
            byte* from = t.x.HostPointer(), to = t.y.HostPointer();
            var size = t.x.Type.Size();
            var (fromStride, toStride) = ((long)t.x.RowStride * size, (long)t.y.RowStride * size);
            for (var n = first; n < end; n++)
            {
                var (source, target) = t.gather ? (t.Rows[n], n) : (n, t.Rows[n]);
                new ReadOnlySpan<byte>(from + (source * fromStride), t.y.Columns * size)
                    .CopyTo(new Span<byte>(to + (target * toStride), t.y.Columns * size));
            }
        });
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddRow(float* x, float* y, int count)
    {
        var i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count)
        {
            TLanes.Store(y + i, TLanes.Load(y + i) + TLanes.Load(x + i));
        }

        for (; i < count; i++)
        {
            y[i] += x[i];
        }
    }

    /// <summary>Σ x or Σ x² in fp64. Eight sums in parallel, since a single sum would wait for each addition.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static double SumRow(float* x, int count, bool square)
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
}
