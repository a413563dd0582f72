using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>Encodes rows as tokens and targets, with template, tokenizer, mask and length limit.</summary>
/// <param name="tokenizer">Makes tokens of text.</param>
/// <param name="template">Makes text of rows.</param>
/// <param name="options">Mask and length limit.</param>
/// <param name="known">Rows that an encoder of the same three has encoded; null to encode each anew.</param>
public sealed class ExampleEncoder(
    ITokenizer tokenizer, PromptTemplate template, EncodingOptions options, EncodedRows? known = null)
{
    /// <summary>Encodes rows for training, in their order, and counts the outcome of each.</summary>
    /// <exception cref="SafeLlamaException">No row is left, or the template cannot express a row.</exception>
    public (IReadOnlyList<TokenizedExample> Examples, EncodingReport Report) EncodeAll(
        IReadOnlyList<TrainingExample> rows)
    {
        var (examples, report) = Inspect(rows);
        return examples.Count > 0
            ? (examples, report)
            : throw SafeLlamaException.InvalidData($"No row is left to train on: {string.Join(" ", report.Lines())}");
    }

    /// <summary>As <see cref="EncodeAll"/>, but allows that no row is left.</summary>
    /// <exception cref="SafeLlamaException">The template cannot express a row.</exception>
    public (IReadOnlyList<TokenizedExample> Examples, EncodingReport Report) Inspect(
        IReadOnlyList<TrainingExample> rows)
    {
        var kept = new List<TokenizedExample>(rows.Count);
        var (longest, markers, cut) = (0, new List<string>(), new List<string>());
        var fates = Enum.GetValues<Fate>().ToDictionary(fate => fate, _ => new List<string>());
        foreach (var row in rows)
        {
            var encoded = known?.Get(row, Encode) ?? Encode(row);
            longest = Math.Max(longest, encoded.FullLength);
            var fate = encoded.Example is { TargetCount: 0 } ? Fate.FullyMasked : encoded.Fate;
            fates[fate].Add(row.Id);
            if (template.HoldsMarkers(row))
            {
                markers.Add(row.Id);
            }

            if (template.LeavesOutPart(row))
            {
                cut.Add(row.Id);
            }

            if (encoded.Example is { TargetCount: > 0 } example)
            {
                kept.Add(example);
            }
        }

        var report = new EncodingReport
        {
            Rows = rows.Count,
            Kept = kept.Count,
            TokenCount = kept.Sum(example => (long)example.Length),
            TargetCount = kept.Sum(example => (long)example.TargetCount),
            LongestRow = longest,
            Truncated = fates[Fate.Truncated],
            PromptTrimmed = fates[Fate.PromptTrimmed],
            Dropped = fates[Fate.Dropped],
            FullyMasked = fates[Fate.FullyMasked],
            HoldingMarkers = markers,
            LeftOutInPart = cut,
        };
        return (kept, report);
    }

    /// <summary>Encodes one row.</summary>
    /// <exception cref="SafeLlamaException">The template cannot express the row.</exception>
    public EncodedExample Encode(TrainingExample row)
    {
        var segments = template.Render(row);
        var encoded = Encoded(row, segments);
        var tokens = encoded.Ids.ToArray();
        var labeled = Labels(segments, encoded);
        if (tokens.Length <= options.MaxLength)
        {
            return Made(Fate.Whole, tokens, labeled);
        }

        switch (options.Truncation)
        {
            case Truncation.Drop:
                return new EncodedExample(null, Fate.Dropped, tokens.Length);
            case Truncation.TrimPrompt:
                return Trim(segments, encoded.Segments) is { } keep
                    ? Made(Fate.PromptTrimmed, [.. keep.Select(i => tokens[i])], [.. keep.Select(i => labeled[i])])
                    : new EncodedExample(null, Fate.Dropped, tokens.Length);
            default:
                return Made(Fate.Truncated, tokens[..options.MaxLength], labeled[..options.MaxLength]);
        }

        EncodedExample Made(Fate fate, int[] ids, bool[] labels) =>
            new(TokenizedExample.FromLabels(row.Id, row.Source, ids, labels), fate, tokens.Length);
    }

    private EncodedSegments Encoded(TrainingExample row, IReadOnlyList<PromptSegment> segments)
    {
        try
        {
            return SegmentEncoder.Encode(tokenizer, segments);
        }
        catch (SafeLlamaException e) when (e.Code == ExitCode.InvalidData)
        {
            // The tokenizer reports the text that it cannot encode; add the row.
            throw new SafeLlamaException(e.Code, $"{row.Source}: {row.Id}: {e.Fault}", e, e.WaysOut);
        }
    }

    private bool[] Labels(IReadOnlyList<PromptSegment> segments, EncodedSegments encoded)
    {
        if (options.TrainOnInputs)
        {
            return [.. encoded.Ids.Select(_ => true)];
        }

        if (options.MaskRule == MaskRule.Position)
        {
            return [.. encoded.Segments.Select(segment => segments[segment].Trained)];
        }

        var prompt = segments.TakeWhile(segment => !segment.Trained).ToList();
        var length = SegmentEncoder.Encode(tokenizer, prompt).Ids.Count;
        if (options.MaskRule == MaskRule.PromptLengthWithEnd)
        {
            length = Math.Min(length + 1, options.MaxLength) - 1;
        }

        return [.. encoded.Ids.Select((_, place) => place >= length)];
    }

    /// <summary>
    /// The places kept when the user's text is shortened from its end; null where that is not enough.
    /// </summary>
    private int[]? Trim(IReadOnlyList<PromptSegment> segments, IReadOnlyList<int> owners)
    {
        var keep = Enumerable.Repeat(true, owners.Count).ToArray();
        var surplus = owners.Count - options.MaxLength;
        for (var i = owners.Count - 1; i >= 0 && surplus > 0; i--)
        {
            if (segments[owners[i]].Part == SegmentPart.User)
            {
                keep[i] = false;
                surplus--;
            }
        }

        return surplus > 0 ? null : [.. Enumerable.Range(0, owners.Count).Where(i => keep[i])];
    }
}

/// <summary>The effect of the length limit on a row.</summary>
public enum Fate
{
    Whole,
    Truncated,
    PromptTrimmed,
    Dropped,
    FullyMasked,
}

/// <summary>One row, encoded.</summary>
/// <param name="Example">Tokens and targets; null where the row is left out.</param>
/// <param name="Fate">The effect of the length limit.</param>
/// <param name="FullLength">Its tokens before anything was shortened.</param>
public sealed record EncodedExample(TokenizedExample? Example, Fate Fate, int FullLength);
