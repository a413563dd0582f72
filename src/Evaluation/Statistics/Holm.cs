namespace SafeLlama.Evaluation;

/// <summary>Adjusts p-values for many comparisons, so that the chance of any false alarm stays below α.</summary>
/// <remarks>
/// Holm 1979, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6.
/// </remarks>
public static class Holm
{
    /// <summary>
    /// The adjusted p-values of tests that come in families of one event each: a family counts once, at the place of
    /// its first test.
    /// </summary>
    /// <param name="pValues">NaN (a test that could not be made) is passed by.</param>
    /// <param name="families">The family of each test.</param>
    public static double[] Adjust(IReadOnlyList<double> pValues, IReadOnlyList<string> families)
    {
        var members = Enumerable.Range(0, pValues.Count).Where(i => !double.IsNaN(pValues[i]))
            .GroupBy(i => families[i]).Select(g => g.ToArray()).OrderBy(g => pValues[g[0]]).ToArray();
        var adjusted = pValues.ToArray();
        var floor = 0.0;
        for (var rank = 0; rank < members.Length; rank++)
        {
            foreach (var i in members[rank])
            {
                adjusted[i] = Math.Max(floor, Math.Min(1, (members.Length - rank) * pValues[i]));
            }

            floor = adjusted[members[rank][0]];
        }

        return adjusted;
    }

    /// <summary>The adjusted p-values, in the order given; NaN (a test that could not be made) is passed by.</summary>
    public static double[] Adjust(IReadOnlyList<double> pValues)
    {
        var order = Enumerable.Range(0, pValues.Count).Where(i => !double.IsNaN(pValues[i]))
            .OrderBy(i => pValues[i]).ToArray();
        var adjusted = pValues.ToArray();
        var floor = 0.0;
        for (var rank = 0; rank < order.Length; rank++)
        {
            floor = Math.Max(floor, Math.Min(1, (order.Length - rank) * pValues[order[rank]]));
            adjusted[order[rank]] = floor;
        }

        return adjusted;
    }
}
