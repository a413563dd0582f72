using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>A training row that is too close to a prompt of an evaluation set.</summary>
/// <param name="RowId">The training row.</param>
/// <param name="Row">Its file and line.</param>
/// <param name="PromptId">The prompt of the evaluation set.</param>
/// <param name="Prompt">The file and line of the prompt.</param>
/// <param name="Jaccard">Shared words over all words of the two, 0 … 1.</param>
/// <param name="Exact">True where both say the same to the letter, once normalized.</param>
public sealed record ContaminationHit(
    string RowId, RowSource Row, string PromptId, RowSource Prompt, double Jaccard, bool Exact);

/// <summary>The result of comparing training rows with evaluation prompts.</summary>
public sealed record ContaminationReport(
    int Rows, int Prompts, double Threshold, IReadOnlyList<ContaminationHit> Hits)
{
    public bool Clean => Hits.Count == 0;

    public string Summary => Clean
        ? $"{Counted.Of(Rows, "row")} against {Counted.Of(Prompts, "evaluation prompt")}: "
            + $"no exact match and no word-Jaccard ≥ {Threshold}."
        : $"{Counted.Of(Rows, "row")} against {Counted.Of(Prompts, "evaluation prompt")}: "
            + $"{Hits.Count(hit => hit.Exact)} exact matches and "
            + $"{Hits.Count(hit => !hit.Exact)} more with word-Jaccard ≥ {Threshold}.";
}

/// <summary>Finds training rows that ask what an evaluation set asks.</summary>
/// <remarks>
/// Two texts are compared by their sets of words A and B: J = |A ∩ B| / |A ∪ B|. With J ≥ t the smaller part of each
/// set, its |A| − ⌈t·|A|⌉ + 1 rarest words, must share one (Bayardo et al. 2007, "Scaling up all pairs similarity
/// search"), so an index over those rarest words finds every pair without comparing all.
/// </remarks>
public static class Contamination
{
    /// <summary>The word-Jaccard from which a row counts as a copy.</summary>
    public const double DefaultThreshold = 0.7;

    public static ContaminationReport Check(
        IReadOnlyList<TrainingExample> rows,
        IReadOnlyList<TrainingExample> prompts,
        double threshold = DefaultThreshold)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threshold);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(threshold, 1);
        var (rowTexts, promptTexts) = (Texts(rows), Texts(prompts));
        var rarity = Rarity(rowTexts.Concat(promptTexts));
        var rowWords = Array.ConvertAll(rowTexts, text => RarestFirst(text, rarity));
        var index = Index(rowWords, threshold);
        var hits = new List<ContaminationHit>();
        for (var p = 0; p < prompts.Count; p++)
        {
            var words = RarestFirst(promptTexts[p], rarity);
            var candidates = words.Take(PrefixLength(words.Length, threshold))
                .SelectMany(word => index.TryGetValue(word, out var list) ? list : [])
                .Distinct()
                .Order();
            foreach (var r in candidates)
            {
                var jaccard = Jaccard(rowWords[r], words);
                if (jaccard >= threshold)
                {
                    var exact = rowTexts[r] == promptTexts[p];
                    hits.Add(new ContaminationHit(
                        rows[r].Id, rows[r].Source, prompts[p].Id, prompts[p].Source, jaccard, exact));
                }
            }
        }

        return new ContaminationReport(rows.Count, prompts.Count, threshold, hits);
    }

    private static string[] Texts(IReadOnlyList<TrainingExample> rows) =>
        [.. rows.Select(row => NormalizedText.Of(row.Question))];

    /// <summary>A rank for every word: the rarest first, words equally rare in alphabetical order.</summary>
    private static Dictionary<string, int> Rarity(IEnumerable<string> texts)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var word in texts.SelectMany(NormalizedText.Words))
        {
            counts[word] = counts.GetValueOrDefault(word) + 1;
        }

        return counts.OrderBy(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal)
            .Select((pair, rank) => (pair.Key, rank))
            .ToDictionary(pair => pair.Key, pair => pair.rank, StringComparer.Ordinal);
    }

    /// <summary>The distinct words of a text as ranks, in rising order.</summary>
    private static int[] RarestFirst(string text, Dictionary<string, int> rarity) =>
        [.. NormalizedText.Words(text).Select(word => rarity[word]).Order()];

    private static Dictionary<int, List<int>> Index(int[][] rows, double threshold)
    {
        var index = new Dictionary<int, List<int>>();
        for (var r = 0; r < rows.Length; r++)
        {
            foreach (var word in rows[r].AsSpan(0, PrefixLength(rows[r].Length, threshold)))
            {
                if (!index.TryGetValue(word, out var list))
                {
                    index[word] = list = [];
                }

                list.Add(r);
            }
        }

        return index;
    }

    private static int PrefixLength(int words, double threshold) =>
        words == 0 ? 0 : words - (int)Math.Ceiling(threshold * words - 1e-9) + 1;

    /// <summary>Shared over all, of two sets given in rising order.</summary>
    private static double Jaccard(int[] a, int[] b)
    {
        var (i, j, shared) = (0, 0, 0);
        while (i < a.Length && j < b.Length)
        {
            if (a[i] == b[j])
            {
                shared++;
                i++;
                j++;
            }
            else if (a[i] < b[j])
            {
                i++;
            }
            else
            {
                j++;
            }
        }

        return shared == 0 ? 0 : shared / (double)(a.Length + b.Length - shared);
    }
}
