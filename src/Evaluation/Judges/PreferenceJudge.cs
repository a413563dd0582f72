namespace SafeLlama.Evaluation;

/// <summary>A DeBERTa reward model. Its scores of answers are meaningful only in comparison.</summary>
/// <remarks>Two runs judged by it give a win rate, ties counting half: see <see cref="WinRate"/>.</remarks>
/// <param name="scorer">The encoder.</param>
/// <param name="name">Its name in tables.</param>
public sealed class PreferenceJudge(ITextScorer scorer, string name = "preference") : EncoderJudge(scorer, new(
    name, "encoder-reward", 1, scorer.Identity, "", null, "unbounded", ScoreDirection.HigherIsBetter))
{
    /// <summary>Two texts, which the tokenizer joins as [CLS] prompt [SEP] answer [SEP].</summary>
    protected override ScoredText TextOf(JudgedAnswer item) => new(item.Prompt.Text, item.Response.Answer);
}
