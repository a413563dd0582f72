using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>
/// Rows in tiles; the learned weight's gradient in tiles of columns, so each sum runs over rows in order.
/// </summary>
internal sealed unsafe class RmsNormCpu<TLanes>(TilePool pool) : RmsNorm
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Columns of dweight that one tile sums: a few cache lines of every row.</summary>
    private const int ColumnsPerTile = 128;

    protected override void ForwardCore(Tensor x, Tensor weight, double epsilon, Tensor y, Tensor rstd)
    {
        var op = (X: x.AsRows<float>(), weight, epsilon, Y: ActivationRows.Of(y), Rstd: rstd.AsElements<float>());
        pool.ForRows(x.Rows, x.Columns, op, static (in t, first, end) =>
        {
            var dim = t.X.Columns;
            var scratch = ThreadScratch.Floats(2L * dim);
            var w = StoredRows.Row(t.weight, 0, scratch);
            for (var n = first; n < end; n++)
            {
                var y = t.Y.Place(n, scratch + dim);
                var meanSquare = LaneMath.Dot<TLanes>(t.X.At(n), t.X.At(n), dim) / (double)dim;
                t.Rstd.Pointer[n] = (float)(1 / Math.Sqrt(meanSquare + t.epsilon));
                ScaleRow(t.X.At(n), w, t.Rstd.Pointer[n], y, dim);
                t.Y.Commit(n, y);
            }
        });
    }

    protected override void BackwardCore(Tensor dy, Tensor x, Tensor weight, Tensor rstd, Tensor dx, Tensor? dweight)
    {
        var op = (
            Dy: dy.AsRows<float>(), X: x.AsRows<float>(), weight, Rstd: rstd.AsElements<float>(),
            Dx: dx.AsRows<float>());
        pool.ForRows(x.Rows, 2L * x.Columns, op, static (in t, first, end) =>
        {
            var dim = t.X.Columns;
            var w = StoredRows.Row(t.weight, 0, ThreadScratch.Floats(dim));
            for (var n = first; n < end; n++)
            {
                BackwardRow(t.Dy.At(n), t.X.At(n), w, t.Rstd.Pointer[n], t.Dx.At(n), dim);
            }
        });

        if (dweight is null)
        {
            return;
        }

        var sum = (op.Dy, op.X, op.Rstd, Dw: dweight.AsElements<float>());
        pool.For((x.Columns + ColumnsPerTile - 1) / ColumnsPerTile, sum, static (in t, tile) =>
        {
            var first = tile * ColumnsPerTile;
            var count = Math.Min(ColumnsPerTile, t.X.Columns - first);
            for (var n = 0; n < t.Rstd.Count; n++)
            {
                AddWeightGradient(
                    t.Dy.At(n) + first, t.X.At(n) + first, t.Rstd.Pointer[n], t.Dw.Pointer + first, count);
            }
        });
    }

    /// <summary>y = weight · x · rstd.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ScaleRow(float* x, float* weight, float rstd, float* y, int dim)
    {
        var scale = TLanes.Broadcast(rstd);
        var i = 0;
        for (; i <= dim - TLanes.Count; i += TLanes.Count)
        {
            TLanes.Store(y + i, TLanes.Load(weight + i) * TLanes.Load(x + i) * scale);
        }

        if (i < dim)
        {
            var left = dim - i;
            Lanes.Store(y + i, left, Lanes.Load<TLanes>(weight + i, left) * Lanes.Load<TLanes>(x + i, left) * scale);
        }
    }

    /// <summary>dx += rstd · dy · weight − along · x, where along = rstd³ · mean(dy · weight · x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void BackwardRow(float* dy, float* x, float* weight, float rstd, float* dx, int dim)
    {
        var dot = default(TLanes);
        var i = 0;
        for (; i <= dim - TLanes.Count; i += TLanes.Count)
        {
            dot = TLanes.MultiplyAdd(TLanes.Load(dy + i) * TLanes.Load(weight + i), TLanes.Load(x + i), dot);
        }

        if (i < dim)
        {
            var left = dim - i;
            var g = Lanes.Load<TLanes>(dy + i, left) * Lanes.Load<TLanes>(weight + i, left);
            dot = TLanes.MultiplyAdd(g, Lanes.Load<TLanes>(x + i, left), dot);
        }

        var (scale, along) = (TLanes.Broadcast(rstd), TLanes.Broadcast(-TLanes.Sum(dot) * rstd * rstd * rstd / dim));
        i = 0;
        for (; i <= dim - TLanes.Count; i += TLanes.Count)
        {
            var g = TLanes.Load(dy + i) * TLanes.Load(weight + i);
            TLanes.Store(
                dx + i,
                TLanes.MultiplyAdd(g, scale, TLanes.MultiplyAdd(TLanes.Load(x + i), along, TLanes.Load(dx + i))));
        }

        if (i < dim)
        {
            var left = dim - i;
            var g = Lanes.Load<TLanes>(dy + i, left) * Lanes.Load<TLanes>(weight + i, left);
            var sum = TLanes.MultiplyAdd(Lanes.Load<TLanes>(x + i, left), along, Lanes.Load<TLanes>(dx + i, left));
            Lanes.Store(dx + i, left, TLanes.MultiplyAdd(g, scale, sum));
        }
    }

    /// <summary>dweight += dy · x · rstd.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddWeightGradient(float* dy, float* x, float rstd, float* dweight, int count)
    {
        var scale = TLanes.Broadcast(rstd);
        var i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count)
        {
            var sum = TLanes.MultiplyAdd(TLanes.Load(dy + i), TLanes.Load(x + i) * scale, TLanes.Load(dweight + i));
            TLanes.Store(dweight + i, sum);
        }

        if (i < count)
        {
            var left = count - i;
            var normalized = Lanes.Load<TLanes>(x + i, left) * scale;
            var sum = TLanes.MultiplyAdd(
                Lanes.Load<TLanes>(dy + i, left), normalized, Lanes.Load<TLanes>(dweight + i, left));
            Lanes.Store(dweight + i, left, sum);
        }
    }
}
