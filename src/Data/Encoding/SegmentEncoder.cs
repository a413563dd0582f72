using System.Text;
using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>Segments as token ids, each with its segment. Only this class adds beginning and end tokens.</summary>
/// <param name="Ids">[T] token ids.</param>
/// <param name="Segments">[T] for each token, the index of its segment.</param>
public sealed record EncodedSegments(IReadOnlyList<int> Ids, IReadOnlyList<int> Segments);

/// <summary>Turns a prompt's segments into tokens.</summary>
public static class SegmentEncoder
{
    /// <summary>Encodes neighboring text segments as one text, and looks control tokens up by name.</summary>
    /// <exception cref="SafeLlamaException">The tokenizer lacks a control token that the template needs.</exception>
    public static EncodedSegments Encode(ITokenizer tokenizer, IReadOnlyList<PromptSegment> segments)
    {
        var ids = new List<int>();
        var owners = new List<int>();
        for (var i = 0; i < segments.Count; i++)
        {
            var first = i;
            while (IsText(segments, i) && IsText(segments, i + 1))
            {
                i++;
            }

            if (segments[i].Kind == SegmentKind.Text)
            {
                EncodeText(tokenizer, segments, (first, i), ids, owners);
            }
            else if (IdOf(tokenizer, segments[i]) is { } id)
            {
                ids.Add(id);
                owners.Add(i);
            }
        }

        return new EncodedSegments(ids, owners);
    }

    /// <summary>The ids of a prompt, to generate from.</summary>
    public static int[] Ids(ITokenizer tokenizer, IReadOnlyList<PromptSegment> segments) =>
        [.. Encode(tokenizer, segments).Ids];

    private static bool IsText(IReadOnlyList<PromptSegment> segments, int i) =>
        i < segments.Count && segments[i].Kind == SegmentKind.Text;

    private static int? IdOf(ITokenizer tokenizer, PromptSegment segment) => segment.Kind switch
    {
        SegmentKind.Begin => tokenizer.BosId,
        SegmentKind.End => tokenizer.EosId,
        _ => tokenizer.ControlId(segment.Value) ?? throw SafeLlamaException.Usage(
            $"The template needs the control token '{segment.Value}', which this tokenizer does not have.",
            "choose the `Template` the model was trained with", "use `Template` alpaca"),
    };

    private static void EncodeText(
        ITokenizer tokenizer,
        IReadOnlyList<PromptSegment> segments,
        (int First, int Last) range,
        List<int> ids,
        List<int> owners)
    {
        var (first, last) = range;
        var text = new StringBuilder();
        var ends = new int[last - first + 1];
        for (var i = first; i <= last; i++)
        {
            ends[i - first] = text.Append(segments[i].Value).Length;
        }

        var whole = WithoutStripped(tokenizer, segments, range, text.ToString(), ends);
        if (whole.Length == 0)
        {
            return;
        }

        // BOS is put by a post-processor: a text behind it still begins a sequence, and so does each of Meta's turns.
        var begins = first == 0 || segments[first - 1].Kind == SegmentKind.Begin;
        Func<string, IReadOnlyList<int>> encode = begins ? tokenizer.Encode : tokenizer.EncodeContinuing;
        var tokens = encode(whole);
        ids.AddRange(tokens);
        if (TokenAlignment.LastCharacters(tokenizer, tokens, whole) is { } places)
        {
            owners.AddRange(places.Select(place => first + Array.FindIndex(ends, end => place < end)));
            return;
        }

        // Where decoding does not give the text back, count the tokens each beginning shares with the whole.
        var counts = ends.Select(end => end == whole.Length
            ? tokens.Count
            : TokenAlignment.CommonPrefix(tokens, encode(whole[..end]))).ToArray();
        owners.AddRange(Enumerable.Range(0, tokens.Count)
            .Select(token => first + Array.FindIndex(counts, count => token < count)));
    }

    /// <summary>
    /// The text without the white space that belongs to the tokens beside it, as Hugging Face's libraries take it away.
    /// </summary>
    private static string WithoutStripped(
        ITokenizer tokenizer,
        IReadOnlyList<PromptSegment> segments,
        (int First, int Last) range,
        string text,
        int[] ends)
    {
        var right = range.Last + 1 < segments.Count && IdOf(tokenizer, segments[range.Last + 1]) is { } next
            && tokenizer.StripsSpace(next).Left;
        var left = range.First > 0 && IdOf(tokenizer, segments[range.First - 1]) is { } previous
            && tokenizer.StripsSpace(previous).Right;
        var whole = right ? text.TrimEnd() : text;
        var start = left ? whole.Length - whole.TrimStart().Length : 0;
        for (var i = 0; i < ends.Length; i++)
        {
            ends[i] = Math.Clamp(ends[i], start, whole.Length) - start;
        }

        return whole[start..];
    }
}
