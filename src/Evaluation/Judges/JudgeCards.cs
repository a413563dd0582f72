using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>
/// The judge cards of a run. They are kept in its folder, so that its tables can be rebuilt from the folder alone.
/// </summary>
internal static class JudgeCards
{
    private const string Pattern = "card-*.json";

    /// <summary>Copies cards into a run's folder.</summary>
    /// <exception cref="SafeLlamaException">
    /// A card belongs to a judge that does not take part, so it would have no effect.
    /// </exception>
    public static void Keep(string folder, IReadOnlyDictionary<string, JudgeCard> cards, RunManifest manifest)
    {
        foreach (var (hash, card) in cards)
        {
            if (manifest.Judges.All(j => j.Hash != hash))
            {
                throw SafeLlamaException.Usage(
                    $"`Card`: {card.Judge.Name} ({hash}) on {card.Labels} is no judge of this run; its judges are "
                    + $"{string.Join(", ", manifest.Judges.Select(j => $"{j.Identity.Name} ({j.Hash})"))}.");
            }

            JudgeValidation.Write(card, Path.Combine(folder, Pattern.Replace("*", hash, StringComparison.Ordinal)));
        }
    }

    /// <summary>Remarks on cards that correct nothing, one line each.</summary>
    public static IEnumerable<string> Remarks(IReadOnlyDictionary<string, JudgeCard> cards) =>
        cards.Values.OrderBy(card => card.Hash, StringComparer.Ordinal).Select(Remark).OfType<string>();

    private static string? Remark(JudgeCard card)
    {
        var informed = card.Sensitivity.Value + card.Specificity.Value - 1;
        var why = card.LabeledPositive == 0 ? "its labels hold no positive answer"
            : card.FalsePositives + card.TrueNegatives == 0 ? "its labels hold no negative answer"
            : informed <= 0 ? $"sensitivity + specificity is {1 + informed:0.00}: the judge tells no more than a coin, "
                + "and its own rates mean nothing"
            : informed < RoganGladen.LeastInformedness
                ? $"sensitivity + specificity is {1 + informed:0.00}: the judge tells hardly more than a coin"
            : null;
        return why is null ? null : $"The card of {card.Judge.Name} ({card.Hash}) corrects no rate: {why}.";
    }

    /// <summary>The cards in a run's folder, by judge hash.</summary>
    public static IReadOnlyDictionary<string, JudgeCard> Of(string folder) =>
        Directory.GetFiles(folder, Pattern).Order(StringComparer.Ordinal).Select(JudgeValidation.Read)
            .ToDictionary(card => card.Hash);
}
