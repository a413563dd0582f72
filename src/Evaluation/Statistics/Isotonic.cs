namespace SafeLlama.Evaluation;

/// <summary>The closest non-decreasing curve: a dose–response without a formula.</summary>
/// <remarks>Pooling adjacent violators; Barlow, Bartholomew, Bremner and Brunk 1972.</remarks>
public static class Isotonic
{
    /// <summary>The non-decreasing fit, one value per dose; negate the values for a curve that never rises.</summary>
    /// <param name="values">Mean response per dose, doses in order.</param>
    /// <param name="weights">How many observations stand behind each.</param>
    public static double[] Fit(IReadOnlyList<double> values, IReadOnlyList<double> weights)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Count, weights.Count);
        var pools = new List<(double Sum, double Weight, int Count)>();
        for (var i = 0; i < values.Count; i++)
        {
            pools.Add((values[i] * weights[i], weights[i], 1));
            while (pools.Count > 1 && pools[^2].Sum / pools[^2].Weight >= pools[^1].Sum / pools[^1].Weight)
            {
                var last = pools[^1];
                pools.RemoveAt(pools.Count - 1);
                pools[^1] = (pools[^1].Sum + last.Sum, pools[^1].Weight + last.Weight, pools[^1].Count + last.Count);
            }
        }

        return [.. pools.SelectMany(pool => Enumerable.Repeat(pool.Sum / pool.Weight, pool.Count))];
    }
}
