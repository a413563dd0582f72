namespace SafeLlama.Evaluation;

/// <summary>Agreement of any number of annotators, of whom each may have left items out.</summary>
/// <remarks>
/// <code>α = 1 − D_o/D_e,  D_o = Σ o_ck δ²_ck / n,  D_e = Σ n_c n_k δ²_ck / (n(n − 1))</code>
/// o is the matrix of coincidences: each pair of labels on an item of m labels counts 1/(m − 1). Nominal: δ² is 1 for
/// different labels. Ordinal: δ_ck = Σ_{g=c}^{k} n_g − (n_c + n_k)/2. Krippendorff 2011, "Computing Krippendorff's
/// alpha-reliability".
/// </remarks>
public static class Krippendorff
{
    public const string Method = "Wilson's limits of the agreement, expected disagreement as observed";

    /// <summary>α with a percentile bootstrap interval over the items.</summary>
    /// <param name="items">The labels on each item, from 0 to <paramref name="labels"/> − 1 in the order of the scale;
    /// items of fewer than two say nothing.</param>
    /// <param name="labels">How many labels there are.</param>
    /// <param name="ordinal">Whether near labels disagree less than far ones.</param>
    /// <param name="seed">Of the bootstrap.</param>
    /// <returns>None where nothing can be compared, or where all labels are the same.</returns>
    public static Interval Alpha(
        IReadOnlyList<IReadOnlyList<int>> items, int labels, bool ordinal = false, long seed = 0)
    {
        double[][] tables = [.. items.Where(i => i.Count > 1).Select(i => Coincidences(i, labels))];
        return Bootstrap.Percentile(
            tables.Length, rows => Alpha(Sum(tables, rows), labels, ordinal), seed,
            constant: value => Constant(value, tables, labels, ordinal));
    }

    /// <summary>
    /// Where no resample differs: the share of items in full disagreement that Wilson's limit leaves open, at the
    /// expected disagreement that was seen.
    /// </summary>
    private static Interval Constant(double value, double[][] tables, int labels, bool ordinal)
    {
        var all = Sum(tables, [.. Enumerable.Range(0, tables.Length)]);
        var (expected, largest) = Disagreement(all, labels, ordinal, observed: false);
        var missed = Wilson.Share(0, tables.Length).High;
        var room = missed * largest / expected;
        return new(value, Math.Max(-1, value - room), Math.Min(1, value + room)) { Method = Method };
    }

    private static double Alpha(double[] coincidences, int labels, bool ordinal)
    {
        var (observed, _) = Disagreement(coincidences, labels, ordinal, observed: true);
        var (expected, _) = Disagreement(coincidences, labels, ordinal, observed: false);
        return expected > 0 ? 1 - observed / expected : double.NaN;
    }

    /// <summary>D_o or D_e, and the largest δ².</summary>
    private static (double Mean, double Largest) Disagreement(double[] table, int labels, bool ordinal, bool observed)
    {
        var margins = new double[labels];
        for (var c = 0; c < labels; c++)
        {
            for (var k = 0; k < labels; k++)
            {
                margins[c] += table[c * labels + k];
            }
        }

        double n = margins.Sum(), sum = 0, largest = 0;
        for (var c = 0; c < labels; c++)
        {
            for (var k = 0; k < labels; k++)
            {
                var delta = c == k ? 0 : ordinal ? Ordinal(margins, Math.Min(c, k), Math.Max(c, k)) : 1;
                var squared = delta * delta;
                sum += squared * (observed ? table[c * labels + k] / n : margins[c] * margins[k] / (n * (n - 1)));
                largest = margins[c] > 0 && margins[k] > 0 ? Math.Max(largest, squared) : largest;
            }
        }

        return (sum, largest);
    }

    private static double Ordinal(double[] margins, int low, int high)
    {
        var between = 0.0;
        for (var g = low; g <= high; g++)
        {
            between += margins[g];
        }

        return between - (margins[low] + margins[high]) / 2;
    }

    /// <summary>[k, k] one item's pairs of labels, each over m − 1.</summary>
    private static double[] Coincidences(IReadOnlyList<int> item, int labels)
    {
        var table = new double[labels * labels];
        for (var i = 0; i < item.Count; i++)
        {
            for (var j = 0; j < item.Count; j++)
            {
                table[item[i] * labels + item[j]] += i == j ? 0 : 1.0 / (item.Count - 1);
            }
        }

        return table;
    }

    private static double[] Sum(double[][] tables, ReadOnlySpan<int> rows)
    {
        var sum = new double[tables[0].Length];
        foreach (var row in rows)
        {
            for (var i = 0; i < sum.Length; i++)
            {
                sum[i] += tables[row][i];
            }
        }

        return sum;
    }
}
