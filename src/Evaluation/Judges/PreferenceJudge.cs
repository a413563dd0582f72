namespace SafeLlama.Evaluation;

/// <summary>A DeBERTa reward model: how good an answer to its prompt is, in numbers that only compare.</summary>
/// <remarks>Two runs judged by it give a win rate, ties counting half: see <see cref="WinRate"/>.</remarks>
/// <param name="scorer">The encoder.</param>
/// <param name="name">What tables call it.</param>
public sealed class PreferenceJudge(ITextScorer scorer, string name = "preference") : EncoderJudge(scorer, new(
    name, "encoder-reward", 1, scorer.Identity, "", null, "unbounded", ScoreDirection.HigherIsBetter))
{
    /// <summary>Two texts, which the tokenizer puts as [CLS] prompt [SEP] answer [SEP].</summary>
    protected override ScoredText TextOf(JudgedAnswer item) => new(item.Prompt.Text, item.Response.Answer);
}
