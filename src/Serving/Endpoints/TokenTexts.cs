using SafeLlama.Data;
using SafeLlama.Inference;

namespace SafeLlama.Serving;

/// <summary>Tokens as texts that name them.</summary>
/// <remarks>
/// A token that is no whole character, and one whose text another in the same place has, is called <c>token_id:N</c>:
/// as keys of one object, two equal texts would swallow each other.
/// </remarks>
internal sealed class TokenTexts
{
    private const char Broken = '\uFFFD';

    private readonly ITokenizer _tokenizer;
    private readonly int[] _anchor;
    private readonly string _anchorText;

    public TokenTexts(ITokenizer tokenizer)
    {
        // A token decoded alone may lose the space before it: it is decoded behind another.
        _tokenizer = tokenizer;
        _anchor = [.. tokenizer.Encode("a")];
        _anchorText = tokenizer.Decode(_anchor, keepControl: true);
    }

    /// <summary>The text of one token; <c>token_id:N</c> where it is no whole character.</summary>
    public string Of(int token)
    {
        if (token >= _tokenizer.VocabularySize)
        {
            return Named(token);
        }

        var text = _tokenizer.Decode([.. _anchor, token], keepControl: true);
        return text.Length > _anchorText.Length && text.StartsWith(_anchorText, StringComparison.Ordinal)
            && !text.Contains(Broken) ? text[_anchorText.Length..] : Named(token);
    }

    /// <summary>The likeliest tokens by text; the one that stands here has its own text.</summary>
    public Dictionary<string, double> Top(TokenScore score)
    {
        var top = new Dictionary<string, double> { [Of(score.Token)] = score.LogProbability };
        foreach (var (token, p) in score.Top)
        {
            if (token != score.Token && !top.TryAdd(Of(token), p))
            {
                top[Named(token)] = p;
            }
        }

        return top;
    }

    private static string Named(int token) => $"token_id:{token}";
}
