using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>How preferences become tokens.</summary>
/// <param name="Limits">The most tokens of a sequence, and what happens to longer ones. With inputs trained, the
/// prompt of a wanted answer is a target too, which ORPO's likelihood reads.</param>
/// <param name="Unpaired">Every answer stands for itself, as KTO takes them; else every row must be a pair.</param>
public sealed record PreferenceEncoding(EncodingOptions Limits, bool Unpaired);

/// <summary>Preferences to tokens, in their order; every row is accounted for.</summary>
public sealed class PreferenceEncoder(ITokenizer tokenizer, PromptTemplate template, PreferenceEncoding options)
{
    private readonly List<string> _truncated = [];
    private readonly List<string> _trimmed = [];
    private readonly List<string> _dropped = [];
    private readonly List<string> _masked = [];
    private readonly List<string> _alike = [];
    private readonly ExampleEncoder _whole =
        new(tokenizer, template, options.Limits with { MaxLength = int.MaxValue, TrainOnInputs = false });

    private int _longest;

    /// <returns>For each row kept its pair, or its one or two single answers.</returns>
    /// <exception cref="SafeLlamaException">No row is left, a row is not of the kind that is learned from, or the
    /// template cannot express a row.</exception>
    public (IReadOnlyList<IReadOnlyList<PreferenceExample>> Rows, EncodingReport Report) EncodeAll(
        IReadOnlyList<PreferenceRow> rows)
    {
        if (!options.Unpaired && rows.FirstOrDefault(row => !row.IsPair) is { } single)
        {
            throw new SafeLlamaException(
                ExitCode.InvalidData,
                $"{single.Source}: {single.Id}: is one answer with a label, expected \"chosen\" and \"rejected\".",
                null, "use `Objective` kto");
        }

        List<IReadOnlyList<PreferenceExample>> kept = [.. rows.Select(Encode).Where(row => row.Count > 0)];
        var examples = kept.SelectMany(row => row).ToList();
        var sides = rows.SelectMany(row => new[] { row.Chosen, row.Rejected }.OfType<TrainingExample>()).ToList();
        var report = new EncodingReport
        {
            Rows = rows.Count,
            Kept = kept.Count,
            TokenCount = examples.Sum(e => (long)e.Length),
            TargetCount = examples.Sum(e => (long)e.TargetCount),
            LongestRow = _longest,
            Truncated = _truncated,
            PromptTrimmed = _trimmed,
            Dropped = _dropped,
            FullyMasked = _masked,
            EqualOnceCut = _alike,
            HoldingMarkers = [.. sides.Where(template.HoldsMarkers).Select(s => s.Id).Distinct()],
            LeftOutInPart = [.. sides.Where(template.LeavesOutPart).Select(s => s.Id).Distinct()],
        };
        return examples.Count > 0
            ? (kept, report)
            : throw SafeLlamaException.InvalidData(
                $"No preference is left to learn: {string.Join(" ", report.Lines())}");
    }

    /// <summary>Gives each answer the one before it as a mismatched pair, the first the last, where their prompts
    /// differ; else the next one back.</summary>
    /// <remarks>As TRL rotates a batch, but over all rows, so that the pairs do not depend on how they are
    /// batched.</remarks>
    public static IReadOnlyList<PreferenceExample> WithMismatched(IReadOnlyList<PreferenceExample> rows, int maxLength)
    {
        return [.. rows.Select((row, i) => row with { Mismatched = Mismatch(row, i) })];

        TokenizedExample? Mismatch(PreferenceExample row, int i)
        {
            var prompt = Prompt(row);
            for (var back = 1; back < rows.Count; back++)
            {
                var other = rows[(i - back + rows.Count) % rows.Count];
                if (!Prompt(other).SequenceEqual(prompt) && prompt.Length < maxLength)
                {
                    int[] tokens = [.. prompt.Concat(other.Tokens[(other.Sequences[0].Answer + 1)..]).Take(maxLength)];
                    return TokenizedExample.FromLabels(
                        $"{row.Id} with the answer of {other.Id}", row.Source, tokens,
                        [.. tokens.Select((_, t) => t >= prompt.Length)]);
                }
            }

            return null;
        }

        static int[] Prompt(PreferenceExample row) => row.Tokens[..(row.Sequences[0].Answer + 1)];
    }

    private IReadOnlyList<PreferenceExample> Encode(PreferenceRow row)
    {
        var chosen = row.Chosen is null ? (PreferenceSide?)null : Whole(row.Chosen);
        var rejected = row.Rejected is null ? (PreferenceSide?)null : Whole(row.Rejected);
        var longest = Math.Max(chosen?.Tokens.Length ?? 0, rejected?.Tokens.Length ?? 0);
        _longest = Math.Max(_longest, longest);
        if (longest > options.Limits.MaxLength)
        {
            if (!Shorten(row, longest - options.Limits.MaxLength, ref chosen, ref rejected))
            {
                return [];
            }
        }

        if (chosen is { } c && rejected is { } r && c.Tokens.Tokens.AsSpan().SequenceEqual(r.Tokens.Tokens))
        {
            _alike.Add(row.Id);
            return [];
        }

        if (!options.Unpaired)
        {
            return [PreferenceExample.Pair(
                options.Limits.TrainOnInputs ? chosen!.Value.WithInputs() : chosen!.Value, rejected!.Value)];
        }

        return [.. new[] { (Side: chosen, Desirable: true), (Side: rejected, Desirable: false) }
            .Where(s => s.Side is not null)
            .Select(s => PreferenceExample.Single(
                row.IsPair ? Named(s.Side!.Value, s.Desirable) : s.Side!.Value, s.Desirable))];
    }

    private static PreferenceSide Named(PreferenceSide side, bool desirable) => side with
    {
        Tokens = side.Tokens with { Id = $"{side.Tokens.Id} ({(desirable ? "chosen" : "rejected")})" },
    };

    private PreferenceSide Whole(TrainingExample side) => PreferenceSide.LastAnswer(_whole.Encode(side).Example!);

    /// <summary>Shortens both sides by the rule; false where the row is left out.</summary>
    private bool Shorten(PreferenceRow row, int surplus, ref PreferenceSide? chosen, ref PreferenceSide? rejected)
    {
        switch (options.Limits.Truncation)
        {
            case Truncation.Drop:
                _dropped.Add(row.Id);
                return false;
            case Truncation.TrimPrompt:
                // Both lose the same tokens of the user's, so that they keep one prompt.
                var (less, alsoLess) = (Trim(row.Chosen, chosen, surplus), Trim(row.Rejected, rejected, surplus));
                if ((chosen is not null && less is null) || (rejected is not null && alsoLess is null))
                {
                    _dropped.Add(row.Id);
                    return false;
                }

                (chosen, rejected) = (less, alsoLess);
                _trimmed.Add(row.Id);
                return true;
            default:
                (chosen, rejected) = (Cut(chosen), Cut(rejected));
                if (chosen is { Tokens.TargetCount: 0 } || rejected is { Tokens.TargetCount: 0 })
                {
                    _masked.Add(row.Id);
                    return false;
                }

                _truncated.Add(row.Id);
                return true;
        }
    }

    private PreferenceSide? Cut(PreferenceSide? side) =>
        side is { } whole && whole.Tokens.Length > options.Limits.MaxLength
            ? whole.Cut(options.Limits.MaxLength) : side;

    private PreferenceSide? Trim(TrainingExample? row, PreferenceSide? side, int surplus) =>
        row is null || side is null ? null
        : new ExampleEncoder(
            tokenizer, template,
            options.Limits with { MaxLength = side.Value.Tokens.Length - surplus, TrainOnInputs = false })
            .Encode(row).Example is { TargetCount: > 0 } shorter ? PreferenceSide.LastAnswer(shorter) : null;
}
