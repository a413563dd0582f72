using SafeLlama.Data;
using SafeLlama.Inference;

namespace SafeLlama.Serving;

/// <summary>One answer that is asked for.</summary>
/// <param name="Model">The id that answers.</param>
/// <param name="Prompt">Token ids, at least one.</param>
/// <param name="Decoding">How tokens are chosen; its length and ends are set here.</param>
/// <param name="MaxTokens">The most tokens of the answer; 0 only scores the prompt.</param>
public sealed record SequenceRequest(ServedModel Model, int[] Prompt, DecodingConfig Decoding, int MaxTokens)
{
    /// <summary>Texts that end the answer; they are no part of it.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>Which random stream of the seed is drawn from.</summary>
    public long Stream { get; init; }

    /// <summary>How many of the likeliest tokens are told in each place; null to score nothing.</summary>
    public int? Top { get; init; }

    /// <summary>Whether the prompt's own tokens are scored too.</summary>
    public bool ScoresPrompt { get; init; }

    /// <summary>
    /// Whether the answer is a message, white space around it cut off, or else a text that goes on from the prompt's.
    /// </summary>
    public bool IsMessage { get; init; }

    /// <summary>The request with what its model says of ends, and of ids that are no text.</summary>
    internal SequenceRequest WithEnds(ITokenizer tokenizer) => this with
    {
        Decoding = Decoding with
        {
            MaxNewTokens = Math.Max(1, MaxTokens),
            EosIds = [
                .. Model.EndTokens, .. Stop.Select(tokenizer.ControlId).OfType<int>().Except(Model.EndTokens)],
            TokenLimit = tokenizer.VocabularySize,
        },
    };
}

/// <summary>What an engine says of one of a group's sequences.</summary>
/// <param name="Index">Its place in the group.</param>
/// <param name="Text">Text that has become certain.</param>
public sealed record SequenceUpdate(int Index, string Text)
{
    /// <summary>Its next token; null where only text was left, or the prompt was scored.</summary>
    public int? Token { get; init; }

    /// <summary>Characters of the answer before the token, whether they were told yet or are held back.</summary>
    public int Offset { get; init; }

    /// <summary>The token's, where asked for.</summary>
    public TokenScore? Score { get; init; }

    /// <summary>Where asked for, once: the score of each token of the prompt from the second on.</summary>
    public IReadOnlyList<TokenScore>? PromptScores { get; init; }

    /// <summary>Why the sequence ended; null where it goes on.</summary>
    public StopReason? End { get; init; }
}
