using SafeLlama.Common;
using SafeLlama.Inference;

namespace SafeLlama.Evaluation;

/// <summary>An opened encoder with one output, scoring texts and pairs of at most 512 tokens.</summary>
public sealed class EncoderScorer : ITextScorer, IDisposable
{
    private readonly EncoderSession _session;
    private readonly Action<string>? _tell;
    private readonly Lock _lock = new();
    private int _texts, _cut;
    private long _leftOut;

    /// <param name="session">The encoder; it outlives this.</param>
    /// <param name="tell">Receives the number of truncated texts at the end, if there are any.</param>
    /// <exception cref="SafeLlamaException">The encoder has several outputs: it classifies.</exception>
    public EncoderScorer(EncoderSession session, Action<string>? tell = null)
    {
        (_session, _tell) = (session, tell);
        if (session.Model.Config.Labels != 1)
        {
            throw SafeLlamaException.InvalidData(
                $"The judge's config.json names {session.Model.Config.Labels} labels (\"id2label\"), expected 1: a "
                + "regression or a reward model. Use a checkpoint with one output.");
        }
    }

    public string Identity => _session.Identity.Hash;

    /// <summary>One caller at a time, since concurrent runs share the encoder's memory.</summary>
    public IReadOnlyList<TextScore> Score(IReadOnlyList<ScoredText> texts, CancellationToken cancellation)
    {
        using var alone = _lock.EnterScope();
        var inputs = texts.Select(text => text.Second is { } second
            ? _session.Tokenizer.EncodePair(text.First, second, EncoderSession.MaxTokens)
            : _session.Tokenizer.EncodeInput(text.First, EncoderSession.MaxTokens)).ToList();
        var logits = _session.Logits([.. inputs.Select(i => i.Ids)], cancellation);
        _texts += texts.Count;
        _cut += inputs.Count(i => i.LeftOut > 0);
        _leftOut += inputs.Sum(i => (long)i.LeftOut);
        return [.. logits.Select((row, i) => new TextScore(row[0], inputs[i].LeftOut))];
    }

    /// <summary>Reports truncated texts; the owner disposes the session.</summary>
    public void Dispose()
    {
        if (_cut > 0)
        {
            _tell?.Invoke($"{_cut} of {_texts} texts were longer than {EncoderSession.MaxTokens} tokens; the judge did "
                + $"not read the last {_leftOut} tokens.");
        }

        (_texts, _cut, _leftOut) = (0, 0, 0);
    }
}
