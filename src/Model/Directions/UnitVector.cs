using SafeLlama.Common;

namespace SafeLlama.Model;

/// <summary>The arithmetic of directions, in fp64.</summary>
public static class UnitVector
{
    /// <exception cref="SafeLlamaException">The direction has no length, or is not finite.</exception>
    public static double[] Of(ReadOnlySpan<double> direction)
    {
        var norm = Norm(direction);
        if (norm == 0 || !double.IsFinite(norm))
        {
            throw SafeLlamaException.InvalidData(
                $"The direction has length {norm}, so it points nowhere: the two sets of prompts have the same mean "
                + "there, as before block 0 when every prompt ends in the same token. Take another layer.");
        }

        var unit = direction.ToArray();
        for (var i = 0; i < unit.Length; i++)
        {
            unit[i] /= norm;
        }

        return unit;
    }

    public static double Norm(ReadOnlySpan<double> vector) => Math.Sqrt(Dot(vector, vector));

    public static double Dot(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        var sum = 0.0;
        for (var i = 0; i < x.Length; i++)
        {
            sum += x[i] * y[i];
        }

        return sum;
    }

    /// <summary>The cosine of two vectors; null where one has no length.</summary>
    public static double? Cosine(ReadOnlySpan<double> x, ReadOnlySpan<double> y) =>
        Norm(x) * Norm(y) is var length and > 0 ? Dot(x, y) / length : null;

    /// <summary>row ← row − (row · u) u.</summary>
    internal static void Project(Span<double> row, ReadOnlySpan<double> unit)
    {
        var along = Dot(row, unit);
        for (var i = 0; i < row.Length; i++)
        {
            row[i] -= along * unit[i];
        }
    }
}
