using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Inference;

namespace SafeLlama.Evaluation;

/// <summary>Greedy coordinate search for a suffix that makes a wanted answer likely.</summary>
/// <remarks>
/// <code>
/// repeat   slope[n, v] = ∂loss/∂onehot of place n
///          candidates of place n: the k allowed tokens with the smallest slope
///          B suffixes, each with one place drawn and one of its candidates drawn
///          take the one with the smallest loss, where it is smaller than before
/// </code>
/// Allowed are tokens of visible ASCII text; control tokens never are. Zou et al. 2023, arXiv:2307.15043.
/// </remarks>
public sealed class SuffixSearch
{
    private readonly LlamaSession _session;
    private readonly TokenGradient _gradient;
    private readonly SuffixSettings _settings;
    private readonly int[] _allowed;

    public SuffixSearch(LlamaSession session, TokenGradient gradient, SuffixSettings settings)
    {
        (_session, _gradient, _settings) = (session, gradient, settings);
        _allowed = Allowed(session.Tokenizer, session.Model.Config.VocabularySize);
    }

    /// <summary>The ids that a suffix may hold.</summary>
    public static int[] Allowed(ITokenizer tokenizer, int vocabulary)
    {
        var control = tokenizer.ControlTokens.Select(tokenizer.ControlId).OfType<int>()
            .Append(tokenizer.EosId).Append(tokenizer.BosId ?? tokenizer.EosId).ToHashSet();
        return
        [
            .. Enumerable.Range(0, Math.Min(vocabulary, tokenizer.VocabularySize)).Where(id =>
                !control.Contains(id) && tokenizer.Decode([id]) is { } text && !string.IsNullOrWhiteSpace(text)
                && text.All(c => c is >= ' ' and <= '~')),
        ];
    }

    /// <param name="key">Names the random numbers and the result.</param>
    /// <param name="request">The request that the suffix follows.</param>
    /// <param name="render">The prompt of a request.</param>
    /// <param name="begun">The same prompt with the answer that is to become likely behind it, as one segment.</param>
    /// <param name="stream">The random numbers of this search.</param>
    /// <returns>Null where no suffix can be put behind the request.</returns>
    public SuffixFound? Find(
        string key, string request, Func<string, IReadOnlyList<PromptSegment>> render,
        Func<string, IReadOnlyList<PromptSegment>> begun, Philox stream, CancellationToken cancellation)
    {
        var begin = stream.Fork(0);
        if (_allowed.Length == 0 || SuffixText.Begin(_session, request, render, _settings.Length, (place, i) =>
            _allowed[begin.Below(((long)place << 20) + i, _allowed.Length)]) is not var (text, suffix))
        {
            return null;
        }

        int[] target = [.. Target(text.Ids(suffix), begun(text.Request(suffix))).Take(_settings.Target)];
        if (target.Length == 0 || text.Ids(suffix).Length + target.Length > _session.Model.MaxLength)
        {
            return null;
        }

        var (tried, dropped, last) = (0, 0, 0);
        var loss = Losses(text, [suffix], target)[0];
        var start = loss;
        for (var step = 1; step <= _settings.Steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            var (batch, lost) = Batch(text, suffix, target, stream.Fork(step));
            dropped += lost;
            if (batch.Count == 0)
            {
                continue;
            }

            tried += batch.Count;
            var losses = Losses(text, batch, target);
            var best = Array.IndexOf(losses, losses.Min());
            if (losses[best] < loss)
            {
                (suffix, loss, last) = (batch[best], losses[best], step);
            }
        }

        return new(key, text.Decode(suffix), suffix, start, loss, tried, dropped, last);
    }

    /// <summary>Suffixes one swap away that read back, and how many do not.</summary>
    private (List<int[]> Batch, int Dropped) Batch(SuffixText text, int[] suffix, int[] target, Philox stream)
    {
        var ids = text.Ids(suffix);
        var (_, slopes) = _gradient.Of([.. ids, .. target], ids.Length, text.Before.Length, suffix.Length);
        var vocabulary = slopes.Length / suffix.Length;
        var choices = new int[suffix.Length][];
        for (var n = 0; n < suffix.Length; n++)
        {
            var (row, own) = (n * vocabulary, suffix[n]);
            choices[n] = [.. _allowed.Where(v => v != own).OrderBy(v => slopes[row + v]).Take(_settings.TopK)];
        }

        var (batch, seen, dropped) = (new List<int[]>(), new HashSet<(int, int)>(), 0);
        var draws = Math.Min(4L * _settings.Batch, choices.Sum(c => (long)c.Length) * 4);
        for (long i = 0; i < draws && batch.Count < _settings.Batch; i++)
        {
            var place = stream.Below(2 * i, suffix.Length);
            if (choices[place].Length == 0)
            {
                continue;
            }

            var token = choices[place][stream.Below((2 * i) + 1, choices[place].Length)];
            if (!seen.Add((place, token)))
            {
                continue;
            }

            int[] swapped = [.. suffix];
            swapped[place] = token;
            if (text.ReadsBack(swapped))
            {
                batch.Add(swapped);
            }
            else
            {
                dropped++;
            }
        }

        return (batch, dropped);
    }

    private double[] Losses(SuffixText text, IReadOnlyList<int[]> suffixes, int[] target)
    {
        int[][] prompts = [.. suffixes.Select(text.Ids)];
        return _gradient.Losses([.. prompts.Select(ids => (int[])[.. ids, .. target])], [.. prompts.Select(p => p.Length)]);
    }

    /// <summary>The tokens of the wanted answer as they follow the prompt's own.</summary>
    private IEnumerable<int> Target(int[] prompt, IReadOnlyList<PromptSegment> begun)
    {
        var whole = SegmentEncoder.Ids(_session.Tokenizer, begun);
        return whole.AsSpan().StartsWith(prompt) ? whole.Skip(prompt.Length)
            : _session.Tokenizer.EncodeContinuing(begun[^1].Value);
    }
}
