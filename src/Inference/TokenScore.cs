using SafeLlama.Common;

namespace SafeLlama.Inference;

/// <summary>How likely one token was, in nats, and which were the likeliest in its place.</summary>
/// <param name="Token">The token.</param>
/// <param name="LogProbability">log p under the model, before any processing of logits.</param>
/// <param name="Top">The likeliest tokens, the likeliest first; <paramref name="Token"/> is always among them.</param>
public sealed record TokenScore(int Token, double LogProbability, IReadOnlyList<(int Token, double LogProbability)> Top)
{
    /// <param name="logits">[V].</param>
    /// <param name="token">The token that stands, or was chosen, in this place.</param>
    /// <param name="top">How many of the likeliest.</param>
    /// <exception cref="SafeLlamaException">The logits are not finite.</exception>
    public static TokenScore Of(ReadOnlySpan<double> logits, int token, int top)
    {
        var max = LogitsMath.Largest(logits);
        var normal = max + Math.Log(LogitsMath.SumOfExp(logits, max));
        if (!double.IsFinite(normal) || !double.IsFinite(logits[token]))
        {
            throw new SafeLlamaException(
                ExitCode.NonFinite,
                "The model's logits are not finite. The weights or the adapter are damaged, or have grown past what "
                + "the device's numbers hold.");
        }

        var best = new List<(int Token, double LogProbability)>();
        foreach (var candidate in LogitsMath.Best(logits, top))
        {
            best.Add((candidate, logits[candidate] - normal));
        }

        if (!best.Exists(b => b.Token == token))
        {
            best.Add((token, logits[token] - normal));
        }

        return new(token, logits[token] - normal, best);
    }
}
