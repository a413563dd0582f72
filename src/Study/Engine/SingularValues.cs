namespace SafeLlama.Study;

/// <summary>The singular values of a product BA of rank r, from matrices of size r × r alone.</summary>
/// <remarks>
/// <code>A Aᵀ = L Lᵀ        σ(BA)² = eigenvalues of Lᵀ (BᵀB) L</code>
/// since BA and B L have the same Gram matrix up to a rotation. Eigenvalues by Jacobi's rotations (Golub and Van Loan,
/// "Matrix computations", 8.5): r is small.
/// </remarks>
public static class SingularValues
{
    private const int Sweeps = 60;

    /// <param name="a">[r, D_in], row-major.</param>
    /// <param name="b">[D_out, r], row-major.</param>
    /// <param name="rank">r.</param>
    /// <returns>[r], falling.</returns>
    public static double[] OfProduct(ReadOnlySpan<double> a, ReadOnlySpan<double> b, int rank)
    {
        var (gramA, gramB) = (new double[rank, rank], new double[rank, rank]);
        var (columns, rows) = (a.Length / rank, b.Length / rank);
        for (var i = 0; i < rank; i++)
        {
            for (var j = 0; j < rank; j++)
            {
                for (var k = 0; k < columns; k++)
                {
                    gramA[i, j] += a[i * columns + k] * a[j * columns + k];
                }

                for (var k = 0; k < rows; k++)
                {
                    gramB[i, j] += b[k * rank + i] * b[k * rank + j];
                }
            }
        }

        var l = Cholesky(gramA, rank);
        var m = Multiply(Transpose(l, rank), Multiply(gramB, l, rank), rank);
        return [.. Eigenvalues(m, rank).Select(v => Math.Sqrt(Math.Max(0, v))).OrderDescending()];
    }

    /// <summary>The lower factor; a row that depends on earlier ones becomes zero there, so a deficient A is no
    /// error.</summary>
    private static double[,] Cholesky(double[,] s, int n)
    {
        var l = new double[n, n];
        for (var j = 0; j < n; j++)
        {
            var pivot = s[j, j];
            for (var k = 0; k < j; k++)
            {
                pivot -= l[j, k] * l[j, k];
            }

            l[j, j] = Math.Sqrt(Math.Max(0, pivot));
            for (var i = j + 1; i < n && l[j, j] > 1e-12 * Math.Sqrt(s[j, j]); i++)
            {
                var sum = s[i, j];
                for (var k = 0; k < j; k++)
                {
                    sum -= l[i, k] * l[j, k];
                }

                l[i, j] = sum / l[j, j];
            }
        }

        return l;
    }

    private static double[] Eigenvalues(double[,] m, int n)
    {
        for (var sweep = 0; sweep < Sweeps; sweep++)
        {
            for (var p = 0; p < n; p++)
            {
                for (var q = p + 1; q < n; q++)
                {
                    Rotate(m, n, p, q);
                }
            }
        }

        return [.. Enumerable.Range(0, n).Select(i => m[i, i])];
    }

    /// <summary>The rotation of rows and columns p and q that makes m[p, q] zero.</summary>
    private static void Rotate(double[,] m, int n, int p, int q)
    {
        if (m[p, q] == 0)
        {
            return;
        }

        var theta = (m[q, q] - m[p, p]) / (2 * m[p, q]);
        var t = (theta < 0 ? -1 : 1) / (Math.Abs(theta) + Math.Sqrt(theta * theta + 1));
        var c = 1 / Math.Sqrt(t * t + 1);
        var s = t * c;
        for (var k = 0; k < n; k++)
        {
            (m[k, p], m[k, q]) = (c * m[k, p] - s * m[k, q], s * m[k, p] + c * m[k, q]);
        }

        for (var k = 0; k < n; k++)
        {
            (m[p, k], m[q, k]) = (c * m[p, k] - s * m[q, k], s * m[p, k] + c * m[q, k]);
        }
    }

    private static double[,] Transpose(double[,] m, int n)
    {
        var t = new double[n, n];
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
            {
                t[j, i] = m[i, j];
            }
        }

        return t;
    }

    private static double[,] Multiply(double[,] x, double[,] y, int n)
    {
        var z = new double[n, n];
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
            {
                for (var k = 0; k < n; k++)
                {
                    z[i, j] += x[i, k] * y[k, j];
                }
            }
        }

        return z;
    }
}
