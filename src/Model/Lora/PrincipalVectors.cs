using System.Numerics;
using SafeLlama.Common;
using DenseMatrix = MathNet.Numerics.LinearAlgebra.Double.DenseMatrix;
using Symmetricity = MathNet.Numerics.LinearAlgebra.Symmetricity;

namespace SafeLlama.Model;

/// <summary>The largest singular values of a matrix and their vectors, by a block Krylov method.</summary>
/// <remarks>
/// <code>
/// K = [W Ω, (W Wᵀ) W Ω, (W Wᵀ)² W Ω, …]          Q = orth(K)          W ≈ Q (Qᵀ W), exact once Q spans W
/// </code>
/// Musco and Musco 2015, arXiv:1504.05477. Ω is drawn from a seed, sums run in fp64 and in one order for any number of
/// threads. The basis has <see cref="Basis"/> columns at most: a matrix with no more rows or columns is decomposed
/// exactly, the vectors of a larger one are close, and whoever subtracts what they found is exact all the same. Of a
/// 4,096 × 4,096 matrix this is about 20 billion multiplications.
/// </remarks>
internal static class PrincipalVectors
{
    /// <summary>The most columns of Q, where twice the rank is no more.</summary>
    public const int Basis = 256;

    /// <summary>Vectors of a block beyond those asked for.</summary>
    private const int Oversampling = 8;

    /// <param name="w">[rows, columns], row-major.</param>
    /// <param name="count">r.</param>
    /// <param name="stream">Draws Ω.</param>
    /// <returns>r left vectors, values, falling, and right vectors; zero beyond the rank of W.</returns>
    public static (double[][] U, double[] S, double[][] V) Of(
        float[] w, int rows, int columns, int count, Philox stream)
    {
        var (q, y) = Span(w, rows, columns, count, stream);
        var gram = DenseMatrix.Create(q.Count, q.Count, (i, j) => Dot(y[i], y[j]));
        var evd = gram.Evd(Symmetricity.Symmetric);
        var (u, s, v) = (new double[count][], new double[count], new double[count][]);
        for (var k = 0; k < count; k++)
        {
            (u[k], v[k]) = (new double[rows], new double[columns]);
            var at = q.Count - 1 - k;
            s[k] = at < 0 ? 0 : Math.Sqrt(Math.Max(0, evd.EigenValues[at].Real));
            if (s[k] <= 1e-12 * s[0])
            {
                s[k] = 0;
                continue;
            }

            for (var j = 0; j < q.Count; j++)
            {
                AddScaled(evd.EigenVectors[j, at], q[j], u[k]);
                AddScaled(evd.EigenVectors[j, at] / s[k], y[j], v[k]);
            }
        }

        return (u, s, v);
    }

    /// <summary>An orthonormal basis Q of the Krylov space, and Wᵀ Q.</summary>
    private static (List<double[]> Q, List<double[]> Y) Span(
        float[] w, int rows, int columns, int count, Philox stream)
    {
        var most = Math.Min(Math.Min(rows, columns), Math.Max(Basis, 2 * (count + Oversampling)));
        var block = Enumerable.Range(0, Math.Min(most, count + Oversampling)).Select(j => Enumerable.Range(0, columns)
            .Select(i => stream.Normal(((long)j * columns) + i)).ToArray()).ToList();
        var (q, y) = (new List<double[]>(), new List<double[]>());
        while (block.Count > 0 && q.Count < most)
        {
            var (next, fresh) = (new double[block.Count][], new List<double[]>());
            var from = block;
            Parallel.For(0, block.Count, j => next[j] = Times(w, rows, from[j]));
            foreach (var vector in next.Take(most - q.Count))
            {
                if (Orthonormalize(vector, q))
                {
                    q.Add(vector);
                    fresh.Add(vector);
                }
            }

            var transposed = new double[fresh.Count][];
            Parallel.For(0, fresh.Count, j => transposed[j] = TransposedTimes(w, columns, fresh[j]));
            y.AddRange(transposed);
            block = [.. transposed];
        }

        return (q, y);
    }

    /// <summary>Takes away what the basis has, twice, since the first time leaves rounding.</summary>
    /// <returns>Whether anything was left.</returns>
    private static bool Orthonormalize(double[] vector, List<double[]> basis)
    {
        var before = Math.Sqrt(Dot(vector, vector));
        for (var pass = 0; pass < 2; pass++)
        {
            foreach (var other in basis)
            {
                AddScaled(-Dot(vector, other), other, vector);
            }
        }

        var length = Math.Sqrt(Dot(vector, vector));
        if (!(length > 1e-10 * before))
        {
            return false;
        }

        for (var i = 0; i < vector.Length; i++)
        {
            vector[i] /= length;
        }

        return true;
    }

    /// <summary>W v.</summary>
    private static double[] Times(float[] w, int rows, double[] v)
    {
        var result = new double[rows];
        for (var o = 0; o < rows; o++)
        {
            var row = w.AsSpan(o * v.Length, v.Length);
            var sum = Vector<double>.Zero;
            var i = 0;
            for (; i <= row.Length - Vector<float>.Count; i += Vector<float>.Count)
            {
                Vector.Widen(new Vector<float>(row[i..]), out var low, out var high);
                sum += (low * new Vector<double>(v, i)) + (high * new Vector<double>(v, i + Vector<double>.Count));
            }

            result[o] = Vector.Sum(sum);
            for (; i < row.Length; i++)
            {
                result[o] += row[i] * v[i];
            }
        }

        return result;
    }

    /// <summary>Wᵀ v.</summary>
    private static double[] TransposedTimes(float[] w, int columns, double[] v)
    {
        var result = new double[columns];
        for (var o = 0; o < v.Length; o++)
        {
            var row = w.AsSpan(o * columns, columns);
            var factor = v[o];
            var i = 0;
            for (; i <= columns - Vector<float>.Count; i += Vector<float>.Count)
            {
                Vector.Widen(new Vector<float>(row[i..]), out var low, out var high);
                ((factor * low) + new Vector<double>(result, i)).CopyTo(result, i);
                ((factor * high) + new Vector<double>(result, i + Vector<double>.Count))
                    .CopyTo(result, i + Vector<double>.Count);
            }

            for (; i < columns; i++)
            {
                result[i] += factor * row[i];
            }
        }

        return result;
    }

    private static double Dot(double[] a, double[] b)
    {
        var (sum, i) = (Vector<double>.Zero, 0);
        for (; i <= a.Length - Vector<double>.Count; i += Vector<double>.Count)
        {
            sum += new Vector<double>(a, i) * new Vector<double>(b, i);
        }

        var total = Vector.Sum(sum);
        for (; i < a.Length; i++)
        {
            total += a[i] * b[i];
        }

        return total;
    }

    private static void AddScaled(double factor, double[] x, double[] y)
    {
        var i = 0;
        for (; i <= x.Length - Vector<double>.Count; i += Vector<double>.Count)
        {
            ((factor * new Vector<double>(x, i)) + new Vector<double>(y, i)).CopyTo(y, i);
        }

        for (; i < x.Length; i++)
        {
            y[i] += factor * x[i];
        }
    }
}
