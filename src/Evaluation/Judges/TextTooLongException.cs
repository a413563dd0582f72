namespace SafeLlama.Evaluation;

/// <summary>The answer is too long for a judge's model. It stays unscored, and judging continues.</summary>
/// <param name="tokens">What prompt, answer and the judge's own words come to.</param>
/// <param name="window">What the model reads.</param>
public sealed class TextTooLongException(int tokens, int window)
    : Exception($"{tokens} tokens, {window} fit")
{
    /// <summary>The same for every such answer of one judge, so that tables can count them.</summary>
    public string Reason { get; } = $"longer than the judge's window of {window} tokens";
}
