using MathNet.Numerics.LinearAlgebra;

namespace SafeLlama.Study;

/// <summary>Ordinary least squares, for slopes over arms.</summary>
internal static class LeastSquares
{
    /// <summary>The slope of a straight line; NaN where x does not vary or a value is not finite.</summary>
    public static double Slope(IReadOnlyList<double> x, IReadOnlyList<double> y)
    {
        if (x.Count < 2 || x.Concat(y).Any(v => !double.IsFinite(v)))
        {
            return double.NaN;
        }

        var (mx, my) = (x.Average(), y.Average());
        var spread = x.Sum(v => (v - mx) * (v - mx));
        return spread == 0 ? double.NaN : x.Zip(y).Sum(p => (p.First - mx) * (p.Second - my)) / spread;
    }

    /// <summary>Coefficients of y on the columns of x; null where the columns do not determine them.</summary>
    /// <param name="rows">One row of columns per observation.</param>
    public static double[]? Fit(IReadOnlyList<double[]> rows, IReadOnlyList<double> y)
    {
        if (rows.Count < rows[0].Length || y.Any(v => !double.IsFinite(v)))
        {
            return null;
        }

        var x = Matrix<double>.Build.DenseOfRowArrays(rows);
        var qr = x.QR();
        return qr.IsFullRank ? qr.Solve(Vector<double>.Build.DenseOfEnumerable(y)).ToArray() : null;
    }
}
