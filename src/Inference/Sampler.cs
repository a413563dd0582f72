using SafeLlama.Common;

namespace SafeLlama.Inference;

/// <summary>Chooses the next token of one sequence.</summary>
/// <remarks>
/// A draw depends only on the seed, the sequence and the place, so a prompt gets the same answer in a batch as alone.
/// </remarks>
public sealed class Sampler(DecodingConfig config, long sequence)
{
    private readonly Philox _stream = Philox.Stream(config.Seed, "sample", sequence);

    /// <param name="text">Prompt and answer so far.</param>
    /// <param name="logits">[V]; processed in place.</param>
    /// <param name="place">How many tokens the answer has.</param>
    /// <exception cref="SafeLlamaException">Every token is ruled out.</exception>
    public int Next(ReadOnlySpan<int> text, Span<double> logits, int place)
    {
        LogitsProcessors.Apply(config, text, logits);
        if (!logits.ContainsAnyExcept(double.NegativeInfinity))
        {
            throw SafeLlamaException.Usage(
                $"After {text.Length} tokens none is left to choose from: `NoRepeatNgram` {config.NoRepeatNgram} "
                + "rules all of them out. Use a larger one, or 0.");
        }

        return config.Samples ? Draw(logits, _stream.Uniform(place)) : Likeliest(logits);
    }

    /// <summary>The likeliest token; of equals the one with the lowest id. Where one is NaN, there is none:
    /// 0.</summary>
    public static int Likeliest(ReadOnlySpan<double> logits) =>
        Math.Max(0, LogitsMath.FirstOf(logits, LogitsMath.Largest(logits)));

    private static int Draw(ReadOnlySpan<double> logits, double uniform)
    {
        var (probabilities, cumulative, last) = (LogitsProcessors.Softmax(logits), 0.0, 0);
        for (var i = 0; i < probabilities.Length; i++)
        {
            if (probabilities[i] > 0)
            {
                cumulative += probabilities[i];
                last = i;
                if (uniform < cumulative)
                {
                    break;
                }
            }
        }

        return last;
    }
}
