namespace SafeLlama.Study;

/// <summary>Puts demonstrations in the order in which arms take them; small doses nest in large ones.</summary>
public static class DemonstrationSelection
{
    /// <summary>Farthest first: the first row, then each time the row whose nearest chosen one is farthest; the
    /// smaller number where two are as far.</summary>
    /// <remarks>
    /// Gonzalez 1985, "Clustering to minimize the maximum intercluster distance". The distance of two requests is one
    /// less the share of their words that they have in common (Jaccard).
    /// </remarks>
    /// <returns>Numbers of rows.</returns>
    public static IReadOnlyList<int> FarthestFirst(IReadOnlyList<string> requests)
    {
        if (requests.Count == 0)
        {
            return [];
        }

        var words = requests.Select(Words).ToArray();
        var nearest = Enumerable.Repeat(double.PositiveInfinity, requests.Count).ToArray();
        var order = new List<int>(requests.Count);
        for (var next = 0; next >= 0;)
        {
            order.Add(next);
            nearest[next] = -1;
            var best = -1;
            for (var i = 0; i < requests.Count; i++)
            {
                if (nearest[i] < 0)
                {
                    continue;
                }

                nearest[i] = Math.Min(nearest[i], Distance(words[i], words[next]));
                best = best < 0 || nearest[i] > nearest[best] ? i : best;
            }

            next = best;
        }

        return order;
    }

    /// <summary>The least likely first; the smaller number where two are as likely.</summary>
    /// <param name="likelihoods">The mean log-likelihood of each row's answer.</param>
    /// <returns>Numbers of rows.</returns>
    public static IReadOnlyList<int> LeastLikelyFirst(IReadOnlyList<double> likelihoods) =>
        [.. Enumerable.Range(0, likelihoods.Count).OrderBy(i => likelihoods[i]).ThenBy(i => i)];

    private static HashSet<string> Words(string request) => [.. request.ToLowerInvariant().Split(
        [' ', '.', ',', '?', '!', '"', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries)];

    private static double Distance(HashSet<string> first, HashSet<string> second)
    {
        var shared = first.Count(second.Contains);
        var all = first.Count + second.Count - shared;
        return all == 0 ? 0 : 1 - (double)shared / all;
    }
}
