using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Factorization;

namespace SafeLlama.Study;

/// <summary>The singular values of a product BA of rank r, computed from matrices of size r × r.</summary>
/// <remarks>
/// <code>Aᵀ = Q_A R_A     B = Q_B R_B     σ(BA) = σ(R_B R_Aᵀ)</code>
/// since the columns of Q_A and Q_B are orthonormal. Golub and Van Loan, "Matrix computations", 5.2 and 8.6.
/// </remarks>
public static class SingularValues
{
    /// <param name="a">[r, D_in], row-major.</param>
    /// <param name="b">[D_out, r], row-major.</param>
    /// <param name="rank">r.</param>
    /// <returns>[r], falling.</returns>
    public static double[] OfProduct(ReadOnlySpan<double> a, ReadOnlySpan<double> b, int rank)
    {
        // Row-major [r, D_in] is column-major [D_in, r], which is Aᵀ.
        var transposedA = Matrix<double>.Build.Dense(a.Length / rank, rank, a.ToArray());
        var transposedB = Matrix<double>.Build.Dense(rank, b.Length / rank, b.ToArray());
        var product = Triangle(transposedB.Transpose()) * Triangle(transposedA).Transpose();
        var values = product.Svd(computeVectors: false).S;
        return [.. values, .. new double[rank - values.Count]];
    }

    /// <summary>R of the thin factorization; a matrix wider than tall is small as it stands.</summary>
    private static Matrix<double> Triangle(Matrix<double> m) =>
        m.RowCount < m.ColumnCount ? m : m.QR(QRMethod.Thin).R;
}
