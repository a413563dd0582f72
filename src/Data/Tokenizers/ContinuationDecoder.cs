namespace SafeLlama.Data;

/// <summary>Gives the text of an answer such that the prompt's text and it are the text of both together.</summary>
/// <remarks>
/// A SentencePiece token carries the space before it, which decoding takes away at the beginning of a text: an answer
/// decoded alone would lose it.
/// </remarks>
public sealed class ContinuationDecoder : IIncrementalDecoder
{
    private readonly IIncrementalDecoder _decoder;

    /// <summary>The end of the prompt's text that the decoder has not given yet.</summary>
    private string _open;

    /// <param name="tokenizer">The model's.</param>
    /// <param name="prompt">What the answer continues.</param>
    public ContinuationDecoder(ITokenizer tokenizer, IReadOnlyList<int> prompt)
    {
        _decoder = tokenizer.StartDecoding();
        var given = string.Concat(prompt.Select(_decoder.Append));
        _open = tokenizer.Decode([.. prompt])[given.Length..];
    }

    public string Append(int id) => WithoutOpen(_decoder.Append(id));

    public string Finish() => WithoutOpen(_decoder.Finish());

    /// <summary>
    /// Takes away what was the prompt's. Where the answer completes a character of which the prompt held only bytes,
    /// the character is the answer's.
    /// </summary>
    private string WithoutOpen(string text)
    {
        var shared = 0;
        while (shared < text.Length && shared < _open.Length && text[shared] == _open[shared])
        {
            shared++;
        }

        _open = shared == text.Length ? _open[shared..] : "";
        return text[shared..];
    }
}
