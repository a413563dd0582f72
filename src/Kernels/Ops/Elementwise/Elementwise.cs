using SafeLlama.Common;

namespace SafeLlama.Kernels;

/// <summary>Copies, sums and totals, the small operations between the large ones.</summary>
/// <remarks>
/// <code>
/// GatherRows     y[n] = x[row[n]]
/// ScatterRows    y[row[n]] = x[n]            the other rows of y stay
/// Add            y += x
/// Sum            total += Σ x
/// SumOfSquares   total += Σ x²
/// AddNoise       y[n,i] += scale[n] · ε[n,i]                     ε uniform in [−1, 1)
/// </code>
/// Totals are fp64 and taken in a fixed order, whatever the number of threads.
/// </remarks>
public abstract class Elementwise : Op
{
    /// <param name="x">[M, D].</param>
    /// <param name="row">[N] Int32, each in [0, M).</param>
    /// <param name="y">[N, D], not overlapping x; of x's type.</param>
    public void GatherRows(Tensor x, Tensor row, Tensor y)
    {
        row.RequireShape(new(y.Rows), "one row number per row of y");
        y.RequireMatrix(y.Rows, x.Columns, "its columns are the columns of x");
        y.RequireType(x.Type, "rows are copied as they are");
        Observer?.Started();
        GatherRowsCore(x, row, y);
        Observer?.Finished(new("GatherRows", 0, Bytes(y, y)));
    }

    /// <param name="x">[N, D].</param>
    /// <param name="row">[N] Int32, each in [0, M), none twice.</param>
    /// <param name="y">[M, D], not overlapping x; of x's type.</param>
    public void ScatterRows(Tensor x, Tensor row, Tensor y)
    {
        row.RequireShape(new(x.Rows), "one row number per row of x");
        y.RequireMatrix(y.Rows, x.Columns, "its columns are the columns of x");
        y.RequireType(x.Type, "rows are copied as they are");
        Observer?.Started();
        ScatterRowsCore(x, row, y);
        Observer?.Finished(new("ScatterRows", 0, Bytes(x, x)));
    }

    /// <param name="x">[N, D], Float32 (Float64 on the reference).</param>
    /// <param name="y">[N, D] of x's type, added to; not overlapping x.</param>
    public void Add(Tensor x, Tensor y)
    {
        y.RequireMatrix(x.Rows, x.Columns, "it has the shape of x");
        y.RequireType(x.Type, "sums are of one type");
        Observer?.Started();
        AddCore(x, y);
        Observer?.Finished(new("Add", x.Shape.Count, Bytes(x, y, y)));
    }

    /// <param name="x">Any shape, Float32 (Float64 on the reference).</param>
    /// <param name="total">[1] Float64, added to.</param>
    public void Sum(Tensor x, Tensor total)
    {
        CheckTotal(total);
        Observer?.Started();
        SumCore(x, total, square: false);
        Observer?.Finished(new("Sum", 0, Bytes(x)));
    }

    /// <param name="x">Any shape, Float32 (Float64 on the reference).</param>
    /// <param name="total">[1] Float64, added to.</param>
    public void SumOfSquares(Tensor x, Tensor total)
    {
        CheckTotal(total);
        Observer?.Started();
        SumCore(x, total, square: true);
        Observer?.Finished(new("SumOfSquares", 0, Bytes(x)));
    }

    /// <param name="stream">Word n · D + i of it, as a signed fraction, is ε[n, i].</param>
    /// <param name="scale">[N].</param>
    /// <param name="y">[N, D], added to.</param>
    public void AddNoise(Philox stream, Tensor scale, Tensor y)
    {
        scale.RequireShape(new(y.Rows), "one scale per row of y");
        Observer?.Started();
        AddNoiseCore(stream, scale, y);
        Observer?.Finished(new("AddNoise", 0, Bytes(y, y)));
    }

    protected abstract void GatherRowsCore(Tensor x, Tensor row, Tensor y);

    protected abstract void ScatterRowsCore(Tensor x, Tensor row, Tensor y);

    protected abstract void AddCore(Tensor x, Tensor y);

    protected abstract void SumCore(Tensor x, Tensor total, bool square);

    protected abstract void AddNoiseCore(Philox stream, Tensor scale, Tensor y);

    private static void CheckTotal(Tensor total)
    {
        total.RequireShape(new(1), "a total is one number");
        total.RequireType(DType.Float64, "totals are fp64");
    }
}
