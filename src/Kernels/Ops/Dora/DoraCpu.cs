namespace SafeLlama.Kernels;

/// <summary>Rows of W in tiles, each changed in a row of scratch; rows of z in tiles; columns of dmagnitude.</summary>
internal sealed unsafe class DoraCpu<TLanes>(TilePool pool) : Dora
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Columns of dmagnitude that one tile sums: a line of every row, several times over.</summary>
    private const int MagnitudeColumns = 256;

    private readonly GrowingScratch _gains = new("DoRA's gains");

    protected override void NormCore(Tensor weight, Tensor a, Tensor b, double scale, Tensor norm)
    {
        var op = (weight, A: a.AsRows<float>(), Rank: a.Rows, B: b.AsRows<float>(), Scale: (float)scale,
            Norm: norm.AsElements<float>());
        pool.ForRows(weight.Rows, (long)(a.Rows + 1) * weight.Columns, op, static (in t, first, end) =>
        {
            var row = ThreadScratch.Floats(t.weight.Columns);
            for (var o = first; o < end; o++)
            {
                var stored = StoredRows.Row(t.weight, o, row);
                if (stored != row)
                {
                    new ReadOnlySpan<float>(stored, t.weight.Columns).CopyTo(new(row, t.weight.Columns));
                }

                for (var k = 0; k < t.Rank; k++)
                {
                    VectorMath.AddScaled(t.Scale * t.B.At(o)[k], t.A.At(k), row, t.weight.Columns);
                }

                t.Norm[o] = (float)Math.Sqrt(ElementwiseCpu<TLanes>.SumRow(row, t.weight.Columns, square: true));
            }
        });
    }

    protected override void ForwardCore(
        Tensor z, Tensor magnitude, Tensor norm, Tensor? bias, Tensor? residual, Tensor y)
    {
        var op = (Z: z.AsRows<float>(), Gains: (nint)Gains(magnitude, norm), bias,
            HasResidual: residual is not null, Residual: residual is null ? default : residual.AsRows<float>(),
            Y: ActivationRows.Of(y));
        pool.ForRows(z.Rows, z.Columns, op, static (in t, first, end) =>
        {
            var columns = t.Y.Columns;
            var scratch = ThreadScratch.Floats(2L * columns);
            var added = t.bias is null ? null : StoredRows.Row(t.bias, 0, scratch);
            for (var n = first; n < end; n++)
            {
                var y = t.Y.Place(n, scratch + columns);
                VectorMath.Multiply(t.Z.At(n), (float*)t.Gains, y, columns);
                if (added is not null)
                {
                    VectorMath.AddScaled(1, added, y, columns);
                }

                if (t.HasResidual)
                {
                    VectorMath.AddScaled(1, t.Residual.At(n), y, columns);
                }

                t.Y.Commit(n, y);
            }
        });
    }

    protected override void BackwardCore(
        Tensor dy, Tensor z, Tensor magnitude, Tensor norm, Tensor dz, Tensor dmagnitude)
    {
        var sums = (Dy: ActivationRows.Of(dy), Z: z.AsRows<float>(), z.Rows, Norm: norm.AsElements<float>(),
            Into: dmagnitude.AsElements<float>());
        pool.For((z.Columns + MagnitudeColumns - 1) / MagnitudeColumns, sums, static (in t, tile) =>
        {
            var first = tile * MagnitudeColumns;
            var count = Math.Min(MagnitudeColumns, t.Into.Count - first);
            var sum = ThreadScratch.Floats(2 * MagnitudeColumns);
            var scratch = sum + MagnitudeColumns;
            new Span<float>(sum, count).Clear();
            for (var n = 0; n < t.Rows; n++)
            {
                VectorMath.AddProduct(t.Dy.Read(n, first, count, scratch), t.Z.At(n) + first, sum, count);
            }

            for (var o = 0; o < count; o++)
            {
                t.Into[first + o] += Quotient(sum[o], t.Norm[first + o]);
            }
        });

        var op = (Dy: ActivationRows.Of(dy), Gains: (nint)Gains(magnitude, norm), Dz: dz.AsRows<float>());
        pool.ForRows(z.Rows, z.Columns, op, static (in t, first, end) =>
        {
            var scratch = ThreadScratch.Floats(t.Dz.Columns);
            for (var n = first; n < end; n++)
            {
                VectorMath.Multiply(t.Dy.Read(n, scratch), (float*)t.Gains, t.Dz.At(n), t.Dz.Columns);
            }
        });
    }

    /// <summary>magnitude / norm.</summary>
    private float* Gains(Tensor magnitude, Tensor norm)
    {
        var gains = _gains.Floats(magnitude.Columns);
        var (ms, ns) = (magnitude.AsElements<float>(), norm.AsElements<float>());
        for (var o = 0; o < magnitude.Columns; o++)
        {
            gains[o] = Quotient(ms[o], ns[o]);
        }

        return gains;
    }

    private static float Quotient(float value, float norm) => norm == 0 ? 0 : value / norm;
}
