namespace SafeLlama.Inference;

/// <summary>Changes a row of logits before a token is chosen; −∞ removes a token.</summary>
/// <remarks>Each does what the processor of that name in Hugging Face transformers does, ties included.</remarks>
public static class LogitsProcessors
{
    /// <summary>
    /// Applies all settings of a configuration, in the reference order: repetition, n-grams, temperature, top-k, top-p,
    /// min-p, typical.
    /// </summary>
    /// <param name="text">Prompt and answer so far.</param>
    public static void Apply(DecodingConfig config, ReadOnlySpan<int> text, Span<double> logits)
    {
        if (config.TokenLimit > 0 && config.TokenLimit < logits.Length)
        {
            logits[config.TokenLimit..].Fill(double.NegativeInfinity);
        }

        if (config.RepetitionPenalty != 1)
        {
            RepetitionPenalty(logits, text, config.RepetitionPenalty);
        }

        if (config.NoRepeatNgram > 0)
        {
            NoRepeatNgram(logits, text, config.NoRepeatNgram);
        }

        if (!config.Samples)
        {
            return;
        }

        Temperature(logits, config.Temperature);
        if (config.TopK > 0)
        {
            TopK(logits, config.TopK);
        }

        if (config.TopP < 1)
        {
            TopP(logits, config.TopP);
        }

        if (config.MinP > 0)
        {
            MinP(logits, config.MinP);
        }

        if (config.TypicalP < 1)
        {
            TypicalP(logits, config.TypicalP);
        }
    }

    /// <summary>Divides by the temperature. Where quotients overflow, the largest logit becomes 0 first.</summary>
    /// <remarks>Two infinite logits have no probabilities; a temperature near 0 chooses the likeliest token.</remarks>
    public static void Temperature(Span<double> logits, double temperature)
    {
        var max = LogitsMath.Largest(logits);
        var shift = double.IsFinite(max) && !double.IsFinite(max / temperature) ? max : 0;
        foreach (ref var logit in logits)
        {
            logit = (logit - shift) / temperature;
        }
    }

    /// <summary>Each token of the text once: positive logits are divided, negative ones multiplied.</summary>
    public static void RepetitionPenalty(Span<double> logits, ReadOnlySpan<int> text, double penalty)
    {
        var seen = new HashSet<int>();
        foreach (var token in text)
        {
            if (seen.Add(token))
            {
                logits[token] *= logits[token] < 0 ? penalty : 1 / penalty;
            }
        }
    }

    /// <summary>Removes tokens that would complete an n-gram of the text.</summary>
    public static void NoRepeatNgram(Span<double> logits, ReadOnlySpan<int> text, int n)
    {
        if (text.Length < n)
        {
            return;
        }

        var end = text[^(n - 1)..];
        for (var i = 0; i + n <= text.Length; i++)
        {
            if (text.Slice(i, n - 1).SequenceEqual(end))
            {
                logits[text[i + n - 1]] = double.NegativeInfinity;
            }
        }
    }

    /// <summary>Keeps the k likeliest, and all that tie with the last of them.</summary>
    public static void TopK(Span<double> logits, int k)
    {
        var sorted = logits.ToArray();
        Array.Sort(sorted);
        RemoveBelow(logits, sorted[Math.Max(0, sorted.Length - k)]);
    }

    /// <summary>Keeps the likeliest tokens until their probability reaches <paramref name="p"/>.</summary>
    public static void TopP(Span<double> logits, double p, int atLeast = 1)
    {
        var (order, probabilities) = (Rising(logits), Softmax(logits));
        var cumulative = 0.0;
        for (var i = 0; i < order.Length - atLeast; i++)
        {
            cumulative += probabilities[order[i]];
            if (cumulative > 1 - p)
            {
                return;
            }

            logits[order[i]] = double.NegativeInfinity;
        }
    }

    /// <summary>Keeps tokens at least <paramref name="share"/> times as likely as the likeliest.</summary>
    public static void MinP(Span<double> logits, double share)
    {
        RemoveBelow(logits, LogitsMath.Largest(logits) + Math.Log(share));
    }

    /// <summary>
    /// Keeps the tokens whose surprise is closest to the expected one, until their probability reaches <paramref
    /// name="mass"/>.
    /// </summary>
    public static void TypicalP(Span<double> logits, double mass)
    {
        var probabilities = Softmax(logits);
        var entropy = probabilities.Sum(q => q > 0 ? -q * Math.Log(q) : 0);
        var distance = Array.ConvertAll(
            probabilities, q => q > 0 ? Math.Abs(-Math.Log(q) - entropy) : double.PositiveInfinity);
        var order = Rising(distance);
        var (cumulative, last) = (0.0, 0);
        while (last < order.Length - 1 && (cumulative += probabilities[order[last]]) < mass)
        {
            last++;
        }

        for (var i = 0; i < logits.Length; i++)
        {
            if (distance[i] > distance[order[last]])
            {
                logits[i] = double.NegativeInfinity;
            }
        }
    }

    public static double[] Softmax(ReadOnlySpan<double> logits)
    {
        var (values, max, sum) = (logits.ToArray(), double.NegativeInfinity, 0.0);
        foreach (var logit in values)
        {
            max = Math.Max(max, logit);
        }

        for (var i = 0; i < values.Length; i++)
        {
            sum += values[i] = Math.Exp(values[i] - max);
        }

        for (var i = 0; i < values.Length; i++)
        {
            values[i] /= sum;
        }

        return values;
    }

    private static void RemoveBelow(Span<double> logits, double bound)
    {
        foreach (ref var logit in logits)
        {
            if (logit < bound)
            {
                logit = double.NegativeInfinity;
            }
        }
    }

    /// <summary>Places from the smallest value to the largest; equal values in order of place.</summary>
    private static int[] Rising(ReadOnlySpan<double> values)
    {
        var keys = values.ToArray();
        var order = Enumerable.Range(0, keys.Length).ToArray();
        Array.Sort(order, (a, b) => keys[a] != keys[b] ? keys[a].CompareTo(keys[b]) : a.CompareTo(b));
        return order;
    }
}
