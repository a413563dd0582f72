using System.Text;
using SafeLlama.Data;
using SafeLlama.Inference;

namespace SafeLlama.Serving;

/// <summary>One choice of a completion as it grows: its text, and what is told of its tokens.</summary>
/// <remarks>
/// With the prompt echoed, its tokens stand before the answer's, the first without a number: nothing comes before it.
/// </remarks>
internal sealed class CompletionText
{
    private readonly SequenceRequest _request;
    private readonly TokenTexts _texts;
    private readonly ITokenizer _tokenizer;
    private readonly StringBuilder _text = new();
    private readonly List<string> _tokens = [];
    private readonly List<double?> _scores = [];
    private readonly List<IReadOnlyDictionary<string, double>?> _top = [];
    private readonly List<int> _offsets = [];
    private int _prompt;

    /// <param name="echoes">Whether the prompt stands before the answer.</param>
    public CompletionText(SequenceRequest request, bool echoes, TokenTexts texts, ITokenizer tokenizer)
    {
        (_request, _texts, _tokenizer) = (request, texts, tokenizer);
        _text.Append(echoes ? tokenizer.Decode(request.Prompt) : "");
    }

    public StopReason? End { get; private set; }

    public void Add(SequenceUpdate update)
    {
        if (update.PromptScores is { } scores)
        {
            AddPrompt(scores);
        }

        if (update.Score is { } score)
        {
            AddScore(score, _prompt + update.Offset);
        }

        _text.Append(update.Text);
        End ??= update.End;
    }

    /// <summary>What was added since the last call.</summary>
    public CompletionChoice Take(int index)
    {
        var logprobs = _request.Top is null
            ? null : new CompletionLogprobs([.. _tokens], [.. _scores], [.. _top], [.. _offsets]);
        var choice = new CompletionChoice(
            index, _text.ToString(), logprobs, End is { } end ? Ends.Of(end) : null);
        _text.Clear();
        _tokens.Clear();
        _scores.Clear();
        _top.Clear();
        _offsets.Clear();
        return choice;
    }

    private void AddPrompt(IReadOnlyList<TokenScore> scores)
    {
        var (decoder, length) = (_tokenizer.StartDecoding(), 0);
        for (var i = 0; i < _request.Prompt.Length; i++)
        {
            var token = _request.Prompt[i];
            if (i == 0)
            {
                _tokens.Add(_texts.Of(token));
                _scores.Add(null);
                _top.Add(null);
                _offsets.Add(0);
            }
            else
            {
                AddScore(scores[i - 1], length);
            }

            length += token < _tokenizer.VocabularySize ? decoder.Append(token).Length : 0;
        }

        _prompt = _tokenizer.Decode(_request.Prompt).Length;
    }

    private void AddScore(TokenScore score, int offset)
    {
        _tokens.Add(_texts.Of(score.Token));
        _scores.Add(score.LogProbability);
        _top.Add(_texts.Top(score));
        _offsets.Add(offset);
    }
}
