namespace SafeLlama.Evaluation;

/// <summary>An encoder with one output.</summary>
public interface ITextScorer
{
    /// <summary>A hash over weights, head and tokenizer.</summary>
    string Identity { get; }

    /// <summary>One score per text, in order.</summary>
    IReadOnlyList<TextScore> Score(IReadOnlyList<ScoredText> texts, CancellationToken cancellation);
}

/// <summary>A text to score, or a pair of texts.</summary>
/// <param name="First">The text, or a prompt.</param>
/// <param name="Second">An answer to the prompt; null for one text.</param>
public sealed record ScoredText(string First, string? Second = null);

/// <summary>A model's score of a text.</summary>
/// <param name="Score">Its output, raw.</param>
/// <param name="LeftOut">Tokens of the text that did not fit, at its end or its beginning as the model reads.</param>
public sealed record TextScore(double Score, int LeftOut);
