namespace SafeLlama.Evaluation;

/// <summary>Agreement beyond chance: κ = (p_o − p_e)/(1 − p_e).</summary>
/// <remarks>
/// Cohen 1960, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20.
/// </remarks>
public static class Kappa
{
    public const string AgreementMethod = "Wilson's limits of the agreement, chance agreement as observed";

    /// <summary>κ of two raters with a percentile bootstrap interval over the items.</summary>
    /// <remarks>
    /// Raters who agree on every item agree in every resample too. The limits are then those of the share of
    /// agreement, (p_o − p_e)/(1 − p_e) at Wilson's limits of p_o.
    /// </remarks>
    /// <param name="first">One label per item.</param>
    /// <param name="second">The other rater's label for the same item.</param>
    public static Interval Of<T>(IReadOnlyList<T> first, IReadOnlyList<T> second, long seed = 0)
        where T : notnull
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(first.Count, second.Count);
        var names = first.Concat(second).Distinct().ToArray();
        var a = first.Select(label => Array.IndexOf(names, label)).ToArray();
        var b = second.Select(label => Array.IndexOf(names, label)).ToArray();
        return Bootstrap.Percentile(a.Length, rows =>
        {
            Span<int> counts = stackalloc int[names.Length * names.Length];
            foreach (var row in rows)
            {
                counts[a[row] * names.Length + b[row]]++;
            }

            return Of(counts, names.Length);
        }, seed, constant: value =>
        {
            var agreed = a.Where((label, row) => label == b[row]).Count();
            var chance = Enumerable.Range(0, names.Length).Sum(i =>
                (double)a.Count(label => label == i) / a.Length * b.Count(label => label == i) / b.Length);
            var share = Wilson.Rate(agreed, a.Length);
            return new(value, (share.Low - chance) / (1 - chance), (share.High - chance) / (1 - chance))
            {
                Method = AgreementMethod,
            };
        });
    }

    /// <summary>κ of a square table of counts; NaN where chance alone would agree always.</summary>
    /// <param name="counts">[k, k] rows: first rater, columns: second.</param>
    public static double Of(ReadOnlySpan<int> counts, int k)
    {
        double n = 0, agreed = 0, chance = 0;
        foreach (var count in counts)
        {
            n += count;
        }

        for (var i = 0; i < k; i++)
        {
            double row = 0, column = 0;
            for (var j = 0; j < k; j++)
            {
                row += counts[i * k + j];
                column += counts[j * k + i];
            }

            agreed += counts[i * k + i] / n;
            chance += row / n * (column / n);
        }

        return chance < 1 ? (agreed - chance) / (1 - chance) : double.NaN;
    }
}
