using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>
/// Rows in tiles; the learned weight's gradient in tiles of columns, so each sum runs over rows in order.
/// </summary>
internal sealed unsafe class RmsNormSimd<TLanes>(TilePool pool) : RmsNorm
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Columns of dweight that one tile sums: a few cache lines of every row.</summary>
    private const int ColumnsPerTile = 128;

    protected override void ForwardCore(Tensor x, Tensor weight, double epsilon, Tensor y, Tensor rstd)
    {
        var (xs, ys, rs, dim) = (x.AsRows<float>(), y.AsRows<float>(), rstd.AsElements<float>(), x.Columns);
        pool.ForRows(x.Rows, dim, (first, end) =>
        {
            var w = Widen.Row(weight, 0, ThreadScratch.Floats(dim));
            for (var n = first; n < end; n++)
            {
                var meanSquare = LaneMath.Dot<TLanes>(xs.At(n), xs.At(n), dim) / (double)dim;
                rs.Pointer[n] = (float)(1 / Math.Sqrt(meanSquare + epsilon));
                ScaleRow(xs.At(n), w, rs.Pointer[n], ys.At(n), dim);
            }
        });
    }

    protected override void BackwardCore(Tensor dy, Tensor x, Tensor weight, Tensor rstd, Tensor dx, Tensor? dweight)
    {
        var (dys, xs, dxs) = (dy.AsRows<float>(), x.AsRows<float>(), dx.AsRows<float>());
        var (rs, dim) = (rstd.AsElements<float>(), x.Columns);
        pool.ForRows(x.Rows, 2L * dim, (first, end) =>
        {
            var w = Widen.Row(weight, 0, ThreadScratch.Floats(dim));
            for (var n = first; n < end; n++)
            {
                BackwardRow(dys.At(n), xs.At(n), w, rs.Pointer[n], dxs.At(n), dim);
            }
        });

        if (dweight is null)
        {
            return;
        }

        var dw = dweight.AsElements<float>();
        pool.For((dim + ColumnsPerTile - 1) / ColumnsPerTile, tile =>
        {
            var first = tile * ColumnsPerTile;
            var count = Math.Min(ColumnsPerTile, dim - first);
            for (var n = 0; n < rs.Count; n++)
            {
                AddWeightGradient(dys.At(n) + first, xs.At(n) + first, rs.Pointer[n], dw.Pointer + first, count);
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
            var normalised = Lanes.Load<TLanes>(x + i, left) * scale;
            var sum = TLanes.MultiplyAdd(
                Lanes.Load<TLanes>(dy + i, left), normalised, Lanes.Load<TLanes>(dweight + i, left));
            Lanes.Store(dweight + i, left, sum);
        }
    }
}
