using MathNet.Numerics.LinearAlgebra;
using SafeLlama.Common;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>The settings of SafeLoRA.</summary>
/// <param name="Aligned">The folder of the model that alignment made: the base itself, as a rule.</param>
/// <param name="Unaligned">The folder of the model before alignment.</param>
/// <param name="Threshold">Updates with a cosine up to this are projected.</param>
/// <param name="Exact">Use the projection onto the columns of V instead of the published C.</param>
public sealed record SafeLoraSettings(
    string Aligned, string Unaligned, double Threshold = 0.5, bool Exact = false);

/// <summary>What SafeLoRA did to one update.</summary>
/// <param name="Module">The path of the linear.</param>
/// <param name="Cosine">Between C B A and B A as flat vectors; null where there is no update or no difference.</param>
/// <param name="Projected">Whether B became C B.</param>
public sealed record SafeLoraModule(string Module, double? Cosine, bool Projected);

/// <summary>SafeLoRA: updates that leave what alignment changed are projected back onto it, once training is
/// over.</summary>
/// <remarks>
/// <code>
/// V = W_aligned − W_unaligned          C = V Vᵀ / ‖V‖_F, as published          C = V (VᵀV)⁺ Vᵀ, exact
/// B ← C B  where  cos(C B A, B A) ≤ threshold
/// </code>
/// The published C is no projection (C C ≠ C) and scales with V; the exact one keeps the part of B in the columns of
/// V, and keeps all of it where V has full rank. C is never formed. Hsu et al. 2024, arXiv:2405.16833.
/// </remarks>
public static class SafeLora
{
    /// <summary>Singular values of V below this share of the largest count as zero.</summary>
    private const double Least = 1e-6;

    /// <summary>Projects an adapter's updates in place.</summary>
    /// <param name="difference">V of a module, [D_out · D_in].</param>
    /// <exception cref="SafeLlamaException">V is zero for every update.</exception>
    public static IReadOnlyList<SafeLoraModule> Project(
        LoraAdapter adapter, SafeLoraSettings settings, Func<string, double[]> difference)
    {
        var done = new List<SafeLoraModule>();
        var differs = false;
        foreach (var pair in adapter.Pairs)
        {
            var (a, b) = (pair.StoredA.ReadDoubles(), pair.StoredB.ReadDoubles());
            var v = difference(pair.Module);
            differs |= v.Any(x => x != 0);
            var projected = Apply(v, pair.StoredB.Rows, b, pair.Rank, settings.Exact);
            var cosine = Cosine(a, b, projected, pair.Rank);
            var projects = cosine <= settings.Threshold;
            if (projects)
            {
                pair.StoredB.Write(projected);
            }

            done.Add(new(pair.Module, cosine, projects));
        }

        return differs ? done : throw NothingToProject(settings);
    }

    internal static SafeLlamaException NothingToProject(SafeLoraSettings settings) =>
        SafeLlamaException.InvalidData(
            $"`{nameof(SafeLoraSettings.Aligned)}` {settings.Aligned} and "
            + $"`{nameof(SafeLoraSettings.Unaligned)}` {settings.Unaligned}: hold the same weights at every linear of "
            + "the adapter, so that there is nothing to project onto.");

    /// <summary>C B.</summary>
    /// <param name="v">[D_out · D_in].</param>
    /// <param name="rows">D_out.</param>
    /// <param name="b">[D_out · r].</param>
    /// <param name="rank">r.</param>
    public static double[] Apply(double[] v, int rows, double[] b, int rank, bool exact)
    {
        var (big, small) = (RowMajor(v, rows), RowMajor(b, rows));
        if (exact)
        {
            return Values(OntoColumns(big, small), rank);
        }

        var norm = big.FrobeniusNorm();
        return norm == 0 ? new double[b.Length] : Values(big * big.TransposeThisAndMultiply(small) / norm, rank);
    }

    /// <summary>cos(C B A, B A) by products of r × r alone: ⟨C B A, B A⟩ = tr((C B)ᵀ B · A Aᵀ).</summary>
    /// <returns>Null where one of them is zero.</returns>
    public static double? Cosine(double[] a, double[] b, double[] projected, int rank)
    {
        var (factor, before, after) = (RowMajor(a, rank), RowMajor(b, b.Length / rank), RowMajor(projected, b.Length / rank));
        var gram = factor.TransposeAndMultiply(factor);
        double Product(Matrix<double> x, Matrix<double> y) => (x.TransposeThisAndMultiply(y) * gram).Trace();
        var length = Math.Sqrt(Product(before, before) * Product(after, after));
        return length > 0 ? Math.Clamp(Product(after, before) / length, -1, 1) : null;
    }

    private static Matrix<double> OntoColumns(Matrix<double> v, Matrix<double> b)
    {
        if (v.RowCount <= v.ColumnCount)
        {
            var outer = v.TransposeAndMultiply(v).Evd(Symmetricity.Symmetric);
            return Spanned(outer, vectors => vectors * vectors.TransposeThisAndMultiply(b));
        }

        var inner = v.TransposeThisAndMultiply(v).Evd(Symmetricity.Symmetric);
        return Spanned(inner, vectors =>
        {
            var columns = v * vectors;          // U S: orthogonal, each of its singular value's length
            var along = columns.TransposeThisAndMultiply(b);
            for (var i = 0; i < along.RowCount; i++)
            {
                along.SetRow(i, along.Row(i) / Math.Pow(columns.Column(i).L2Norm(), 2));
            }

            return columns * along;
        });

        Matrix<double> Spanned(
            MathNet.Numerics.LinearAlgebra.Factorization.Evd<double> found, Func<Matrix<double>, Matrix<double>> use)
        {
            var squares = found.EigenValues.Select(value => value.Real).ToList();
            var least = Least * Least * squares.Max();
            var kept = Enumerable.Range(0, squares.Count).Where(i => squares[i] > least)
                .Select(i => found.EigenVectors.Column(i)).ToList();
            return kept.Count == 0
                ? b * 0 : use(Matrix<double>.Build.DenseOfColumnVectors(kept));
        }
    }

    private static Matrix<double> RowMajor(double[] values, int rows) =>
        Matrix<double>.Build.DenseOfRowMajor(rows, values.Length / rows, values);

    private static double[] Values(Matrix<double> matrix, int columns) =>
        matrix.ColumnCount == columns ? matrix.ToRowMajorArray()
            : throw new ArgumentException("C B has the columns of B", nameof(matrix));
}
