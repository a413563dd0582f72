using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>
/// Rows in tiles; the learned numbers' gradients in tiles of columns, so each sum runs over rows in order.
/// </summary>
internal sealed unsafe class LayerNormCpu<TLanes>(TilePool pool) : LayerNorm
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Columns of the gradients that one tile sums: a few cache lines of every row.</summary>
    private const int ColumnsPerTile = 128;

    protected override void ForwardCore(
        Tensor x, Tensor weight, Tensor bias, double epsilon, Tensor y, Tensor mean, Tensor rstd)
    {
        var op = (X: x.AsRows<float>(), weight, bias, epsilon, Y: y.AsRows<float>(), Mean: mean.AsElements<float>(),
            Rstd: rstd.AsElements<float>());
        pool.ForRows(x.Rows, 2L * x.Columns, op, static (in t, first, end) =>
        {
            var dim = t.X.Columns;
            var scratch = ThreadScratch.Floats(2L * dim);
            float* w = StoredRows.Row(t.weight, 0, scratch), b = StoredRows.Row(t.bias, 0, scratch + dim);
            for (var n = first; n < end; n++)
            {
                var average = SumOfPowers(t.X.At(n), 0, dim, square: false) / dim;
                var variance = SumOfPowers(t.X.At(n), average, dim, square: true) / (double)dim;
                t.Mean.Pointer[n] = average;
                t.Rstd.Pointer[n] = (float)(1 / Math.Sqrt(variance + t.epsilon));
                NormalizeRow(t.X.At(n), w, b, (average, t.Rstd.Pointer[n]), t.Y.At(n), dim);
            }
        });
    }

    protected override void BackwardCore(
        Tensor dy, Tensor x, Tensor weight, Tensor mean, Tensor rstd, Tensor dx, Tensor? dweight, Tensor? dbias)
    {
        var op = (Dy: dy.AsRows<float>(), X: x.AsRows<float>(), weight, Mean: mean.AsElements<float>(),
            Rstd: rstd.AsElements<float>(), Dx: dx.AsRows<float>());
        pool.ForRows(x.Rows, 3L * x.Columns, op, static (in t, first, end) =>
        {
            var w = StoredRows.Row(t.weight, 0, ThreadScratch.Floats(t.X.Columns));
            for (var n = first; n < end; n++)
            {
                var statistics = (t.Mean.Pointer[n], t.Rstd.Pointer[n]);
                BackwardRow(t.Dy.At(n), t.X.At(n), w, statistics, t.Dx.At(n), t.X.Columns);
            }
        });

        if (dweight is null || dbias is null)
        {
            return;
        }

        var sum = (op.Dy, op.X, op.Mean, op.Rstd, Dw: dweight.AsElements<float>(), Db: dbias.AsElements<float>());
        pool.For((x.Columns + ColumnsPerTile - 1) / ColumnsPerTile, sum, static (in t, tile) =>
        {
            var first = tile * ColumnsPerTile;
            var count = Math.Min(ColumnsPerTile, t.X.Columns - first);
            for (var n = 0; n < t.Rstd.Count; n++)
            {
                var dy = t.Dy.At(n) + first;
                var statistics = (t.Mean.Pointer[n], t.Rstd.Pointer[n]);
                AddWeightGradient(dy, t.X.At(n) + first, statistics, t.Dw.Pointer + first, count);
                LaneMath.AddScaled<TLanes>(1, dy, t.Db.Pointer + first, count);
            }
        });
    }

    /// <summary>Σ (x − shift), or Σ (x − shift)².</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float SumOfPowers(float* x, float shift, int dim, bool square)
    {
        var (sum, shifts, one) = (default(TLanes), TLanes.Broadcast(shift), TLanes.Broadcast(1));
        for (var i = 0; i < dim; i += TLanes.Count)
        {
            var distance = Lanes.Load<TLanes>(x + i, dim - i, shift) - shifts;
            sum = TLanes.MultiplyAdd(distance, square ? distance : one, sum);
        }

        return TLanes.Sum(sum);
    }

    /// <summary>y = weight · (x − mean) · rstd + bias.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void NormalizeRow(
        float* x, float* weight, float* bias, (float Mean, float Rstd) row, float* y, int dim)
    {
        var (mean, rstd) = (TLanes.Broadcast(row.Mean), TLanes.Broadcast(row.Rstd));
        for (var i = 0; i < dim; i += TLanes.Count)
        {
            var left = dim - i;
            var normalized = (Lanes.Load<TLanes>(x + i, left) - mean) * rstd;
            var scaled = Lanes.Load<TLanes>(weight + i, left) * normalized;
            Lanes.Store(y + i, left, scaled + Lanes.Load<TLanes>(bias + i, left));
        }
    }

    /// <summary>dx += rstd · (dy · weight − mean(dy · weight) − x̂ · mean(dy · weight · x̂)).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void BackwardRow(
        float* dy, float* x, float* weight, (float Mean, float Rstd) row, float* dx, int dim)
    {
        var (mean, rstd) = (TLanes.Broadcast(row.Mean), TLanes.Broadcast(row.Rstd));
        TLanes sumG = default, sumGx = default;
        for (var i = 0; i < dim; i += TLanes.Count)
        {
            var left = dim - i;
            var g = Lanes.Load<TLanes>(dy + i, left) * Lanes.Load<TLanes>(weight + i, left);
            sumG += g;
            sumGx = TLanes.MultiplyAdd(g, (Lanes.Load<TLanes>(x + i, left, row.Mean) - mean) * rstd, sumGx);
        }

        var meanG = TLanes.Broadcast(TLanes.Sum(sumG) / dim);
        var meanGx = TLanes.Broadcast(TLanes.Sum(sumGx) / dim);
        for (var i = 0; i < dim; i += TLanes.Count)
        {
            var left = dim - i;
            var g = Lanes.Load<TLanes>(dy + i, left) * Lanes.Load<TLanes>(weight + i, left);
            var along = (Lanes.Load<TLanes>(x + i, left, row.Mean) - mean) * rstd * meanGx;
            var sum = TLanes.MultiplyAdd(rstd, g - meanG - along, Lanes.Load<TLanes>(dx + i, left));
            Lanes.Store(dx + i, left, sum);
        }
    }

    /// <summary>dweight += dy · (x − mean) · rstd.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddWeightGradient(float* dy, float* x, (float Mean, float Rstd) row, float* dweight, int count)
    {
        var (mean, rstd) = (TLanes.Broadcast(row.Mean), TLanes.Broadcast(row.Rstd));
        for (var i = 0; i < count; i += TLanes.Count)
        {
            var left = count - i;
            var normalized = (Lanes.Load<TLanes>(x + i, left) - mean) * rstd;
            var sum = TLanes.MultiplyAdd(
                Lanes.Load<TLanes>(dy + i, left), normalized, Lanes.Load<TLanes>(dweight + i, left));
            Lanes.Store(dweight + i, left, sum);
        }
    }
}
