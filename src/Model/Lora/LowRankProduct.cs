using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Factorization;

namespace SafeLlama.Model;

/// <summary>The product BA of an adapter's factors, of rank r, by its singular values; nothing larger than r × r is
/// decomposed.</summary>
/// <remarks>
/// <code>Aᵀ = Q_A R_A     B = Q_B R_B     R_B R_Aᵀ = U S Vᵀ     BA = (Q_B U) S (Q_A V)ᵀ</code>
/// since the columns of Q_A and Q_B are orthonormal. Golub and Van Loan, "Matrix computations", 5.2 and 8.6.
/// </remarks>
public static class LowRankProduct
{
    /// <param name="a">[r, D_in], row-major.</param>
    /// <param name="b">[D_out, r], row-major.</param>
    /// <param name="rank">r.</param>
    /// <returns>[r], falling.</returns>
    public static double[] SingularValues(ReadOnlySpan<double> a, ReadOnlySpan<double> b, int rank)
    {
        var inner = Triangle(ColumnsOf(b, rank)) * Triangle(RowsOf(a, rank)).Transpose();
        var values = inner.Svd(computeVectors: false).S;
        return [.. values, .. new double[rank - values.Count]];
    }

    /// <summary>B for the nearest product of a lower rank over the same A (Eckart and Young 1936).</summary>
    /// <remarks><code>B_k = Q_B U_k U_kᵀ R_B,  so that  B_k A = (Q_B U_k) S_k (Q_A V_k)ᵀ</code></remarks>
    /// <param name="a">[r, D_in], row-major.</param>
    /// <param name="b">[D_out, r], row-major.</param>
    /// <param name="rank">r.</param>
    /// <param name="kept">k, from 0; r or more leaves B as it is, up to rounding.</param>
    /// <returns>[D_out, r], row-major.</returns>
    public static double[] Nearest(ReadOnlySpan<double> a, ReadOnlySpan<double> b, int rank, int kept)
    {
        var columns = ColumnsOf(b, rank);
        var triangle = Triangle(columns);
        var left = (triangle * Triangle(RowsOf(a, rank)).Transpose()).Svd().U;
        var first = left.SubMatrix(0, left.RowCount, 0, Math.Min(kept, left.ColumnCount));
        var inner = first * first.TransposeThisAndMultiply(triangle);
        var product = columns.RowCount < columns.ColumnCount ? inner : columns.QR(QRMethod.Thin).Q * inner;
        return product.ToRowMajorArray();
    }

    /// <summary>Aᵀ, [D_in, r].</summary>
    private static Matrix<double> RowsOf(ReadOnlySpan<double> a, int rank) =>
        // Row-major [r, D_in] is column-major [D_in, r].
        Matrix<double>.Build.Dense(a.Length / rank, rank, a.ToArray());

    /// <summary>B, [D_out, r].</summary>
    private static Matrix<double> ColumnsOf(ReadOnlySpan<double> b, int rank) =>
        Matrix<double>.Build.Dense(rank, b.Length / rank, b.ToArray()).Transpose();

    /// <summary>R of the thin factorization; a matrix wider than tall is small as it stands.</summary>
    private static Matrix<double> Triangle(Matrix<double> m) =>
        m.RowCount < m.ColumnCount ? m : m.QR(QRMethod.Thin).R;
}
