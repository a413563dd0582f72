using System.Text;

namespace SafeLlama.Evaluation;

/// <summary>The perplexity of a model on held-out text.</summary>
/// <param name="Value">exp(−Σ log p / tokens), with a bootstrap over texts.</param>
/// <param name="BitsPerByte">−Σ log₂ p / bytes: comparable between tokenizers.</param>
/// <param name="Tokens">Tokens scored.</param>
/// <param name="Texts">Texts scored.</param>
public sealed record Perplexity(Interval Value, double BitsPerByte, int Tokens, int Texts)
{
    /// <summary>Scores each text on its own, from its begin token on.</summary>
    public static Perplexity Of(
        IReadOnlyList<string> texts, ILikelihood model, long seed = 0, CancellationToken cancellation = default)
    {
        var scores = texts.Chunk(8)
            .SelectMany(batch => model.Score([.. batch.Select(t => new LikelihoodRequest("", t))], cancellation))
                .ToArray();
        var bytes = texts.Sum(t => (double)Encoding.UTF8.GetByteCount(t));
        var value = Bootstrap.Percentile(scores.Length, rows =>
        {
            double sum = 0, tokens = 0;
            foreach (var row in rows)
            {
                sum += scores[row].LogLikelihood;
                tokens += scores[row].Tokens;
            }

            return Math.Exp(-sum / tokens);
        }, seed);
        return new(
            value, -scores.Sum(s => s.LogLikelihood) / Math.Log(2) / bytes, scores.Sum(s => s.Tokens), scores.Length);
    }
}
