using SafeLlama.Data;
using SafeLlama.Inference;

namespace SafeLlama.Evaluation;

/// <summary>A prompt with a suffix behind its request, as text and as tokens.</summary>
/// <remarks>
/// A search moves tokens, and what is sent is text. A suffix is only worth its loss where the tokenizer reads its text
/// back as the same tokens; <see cref="ReadsBack"/> asks the whole prompt, since a token may grow together with its
/// neighbors.
/// </remarks>
public sealed class SuffixText
{
    private readonly LlamaSession _session;
    private readonly Func<string, IReadOnlyList<PromptSegment>> _render;
    private readonly string _request;

    private SuffixText(
        LlamaSession session, string request, Func<string, IReadOnlyList<PromptSegment>> render, int[] before)
    {
        (_session, _request, _render, Before) = (session, request, render, before);
    }

    /// <summary>The ids in front of the suffix.</summary>
    public int[] Before { get; }

    /// <summary>The beginning of a search: a suffix of so many tokens that read back.</summary>
    /// <param name="request">The request that the suffix follows.</param>
    /// <param name="render">The prompt of a request.</param>
    /// <param name="length">L.</param>
    /// <param name="draw">A token of text for a place and a try.</param>
    /// <returns>Null where the template does not show the request as it is, or no suffix reads back.</returns>
    public static (SuffixText Text, int[] Suffix)? Begin(
        LlamaSession session, string request, Func<string, IReadOnlyList<PromptSegment>> render, int length,
        Func<int, int, int> draw)
    {
        foreach (var filler in (string[])[" !", " x", " ."])
        {
            if (Of(session, request, render, string.Concat(Enumerable.Repeat(filler, length))) is { } begun
                && begun.Suffix.Length == length && begun.Text.ReadsBack(begun.Suffix))
            {
                return begun;
            }
        }

        const int Tries = 200;
        if (Of(session, request, render, "") is not { Text: var text })
        {
            return null;
        }

        var suffix = new List<int>();
        while (suffix.Count < length)
        {
            var place = suffix.Count;
            var found = Enumerable.Range(0, Tries).Select(i => draw(place, i))
                .Where(token => text.ReadsBack([.. suffix, token])).Cast<int?>().FirstOrDefault();
            if (found is not { } next)
            {
                return null;
            }

            suffix.Add(next);
        }

        return (text, [.. suffix]);
    }

    /// <summary>The text of a suffix, with the space before it where its first token has one.</summary>
    public string Decode(int[] suffix)
    {
        var decoder = new ContinuationDecoder(_session.Tokenizer, Before);
        return string.Concat(suffix.Select(decoder.Append)) + decoder.Finish();
    }

    /// <summary>The request with the suffix behind it, as it is sent.</summary>
    public string Request(int[] suffix) => _request + Decode(suffix);

    /// <summary>The ids of the whole prompt as the tokenizer reads its text.</summary>
    public int[] Ids(int[] suffix) => SegmentEncoder.Ids(_session.Tokenizer, _render(Request(suffix)));

    /// <summary>Whether the text of a suffix is read as these tokens.</summary>
    public bool ReadsBack(int[] suffix)
    {
        var ids = Ids(suffix);
        return ids.Length >= Before.Length + suffix.Length
            && ids.AsSpan(0, Before.Length).SequenceEqual(Before)
            && ids.AsSpan(Before.Length, suffix.Length).SequenceEqual(suffix);
    }

    /// <summary>Cuts the rendered prompt where the suffix begins and ends.</summary>
    private static (SuffixText Text, int[] Suffix)? Of(
        LlamaSession session, string request, Func<string, IReadOnlyList<PromptSegment>> render, string suffix)
    {
        var segments = render(request + suffix).ToList();
        var at = segments.FindLastIndex(s => s.Kind == SegmentKind.Text && s.Part == SegmentPart.User
            && s.Value.EndsWith(request + suffix, StringComparison.Ordinal));
        if (at < 0)
        {
            return null;
        }

        var value = segments[at].Value;
        segments[at] = PromptSegment.User(value[..^suffix.Length]);
        segments.Insert(at + 1, PromptSegment.User(suffix));
        var encoded = SegmentEncoder.Encode(session.Tokenizer, segments);
        int[] owned = [.. encoded.Ids.Where((_, i) => encoded.Segments[i] == at + 1)];
        int[] before = [.. encoded.Ids.Where((_, i) => encoded.Segments[i] <= at)];
        return (new(session, request, render, before), owned);
    }
}
