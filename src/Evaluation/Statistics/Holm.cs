namespace SafeLlama.Evaluation;

/// <summary>Adjusts p-values for many comparisons, so that the chance of any false alarm stays below α.</summary>
/// <remarks>
/// Holm 1979, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6.
/// </remarks>
public static class Holm
{
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
