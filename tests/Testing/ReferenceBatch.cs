using SafeLlama.Model;

namespace SafeLlama.Testing;

/// <summary>A padded batch of the reference stack, laid out as one stream without padding.</summary>
/// <remarks>
/// A target is the label of the next column. Where the column before a label is padding there is no row to predict it
/// from; the reference counts such labels, so they are counted here too.
/// </remarks>
public sealed class ReferenceBatch
{
    public ReferenceBatch(ReadOnlySpan<int> ids, ReadOnlySpan<int> mask, ReadOnlySpan<int> labels, int columns)
    {
        var (tokens, positions, firstKey, targets, places) =
            (new List<int>(), new List<int>(), new List<int>(), new List<int>(), new List<int>());
        for (var start = 0; start < ids.Length; start += columns)
        {
            var first = tokens.Count;
            for (var t = 0; t < columns; t++)
            {
                var next = t + 1 < columns ? labels[start + t + 1] : -100;
                if (mask[start + t] == 0)
                {
                    PredictedFromPadding += next >= 0 ? 1 : 0;
                    continue;
                }

                tokens.Add(ids[start + t]);
                positions.Add(tokens.Count - 1 - first);
                firstKey.Add(first);
                targets.Add(next >= 0 ? next : -1);
                places.Add(start + t);
            }
        }

        (Tokens, Positions, FirstKey, Targets, Places) =
            ([.. tokens], [.. positions], [.. firstKey], [.. targets], [.. places]);
        LabelCount = labels.ToArray().Count(l => l >= 0);
    }

    public int[] Tokens { get; }

    public int[] Positions { get; }

    public int[] FirstKey { get; }

    public int[] Targets { get; }

    /// <summary>Where each row stands in the padded batch: b · T + t.</summary>
    public int[] Places { get; }

    /// <summary>Targets that only a padded row could predict.</summary>
    public int PredictedFromPadding { get; }

    /// <summary>Labels that are not −100, before the shift: the divisor of Hugging Face's trainer.</summary>
    public int LabelCount { get; }

    /// <summary>The batch of a forward or LoRA case.</summary>
    public static ReferenceBatch Of(ReferenceCase reference) => new(
        reference.Ints("input_ids"), reference.Ints("attention_mask"), reference.Ints("labels"),
        reference.ShapeOf("input_ids")[1]);

    public Pass Upload(Workspace workspace)
    {
        var pass = workspace.For(Tokens.Length);
        pass.Batch.Upload(Tokens, Positions, FirstKey, Targets);
        return pass;
    }
}
