using System.Globalization;
using SafeLlama.Inference;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Parity;

/// <summary>Every logits processor by the setting its tensor's name carries: <c>out.top_p_0.9</c>.</summary>
internal static class SamplingParity
{
    public static void Check(ReferenceCase reference)
    {
        var (scores, ids, vocabulary) =
            (reference.Doubles("scores"), reference.Ints("input_ids"), reference.ShapeOf("scores")[1]);
        var length = reference.ShapeOf("input_ids")[1];
        foreach (var name in reference.TensorNames("out."))
        {
            var expected = reference.Doubles(name);
            for (var row = 0; row < reference.ShapeOf("scores")[0]; row++)
            {
                var logits = scores.AsSpan(row * vocabulary, vocabulary).ToArray();
                Apply(name["out.".Length..], ids.AsSpan(row * length, length), ref logits);
                Compare(reference, $"{name}, row {row}", logits, expected.AsSpan(row * vocabulary, vocabulary));
            }
        }

        reference.Skip("order");
        reference.MustBeReadWhole();
    }

    private static void Apply(string setting, ReadOnlySpan<int> text, ref double[] logits)
    {
        var pipeline = new DecodingConfig { RepetitionPenalty = 1.2, Temperature = 0.8, TopK = 40, TopP = 0.75 };
        var parts = setting.Split('_');
        double Value(int i) => double.Parse(parts[i], CultureInfo.InvariantCulture);
        switch (setting)
        {
            case "pipeline_rep1.2_temp0.8_topk40_topp0.75":
                LogitsProcessors.Apply(pipeline, text, logits);
                break;
            case "pipeline_probs":
                LogitsProcessors.Apply(pipeline, text, logits);
                logits = LogitsProcessors.Softmax(logits);
                break;
            case var s when s.StartsWith("temperature_", StringComparison.Ordinal):
                LogitsProcessors.Temperature(logits, Value(1));
                break;
            case var s when s.StartsWith("top_k_", StringComparison.Ordinal):
                LogitsProcessors.TopK(logits, (int)Value(2));
                break;
            case var s when s.StartsWith("top_p_", StringComparison.Ordinal):
                LogitsProcessors.TopP(
                    logits, Value(2), s.Contains("min_keep", StringComparison.Ordinal) ? (int)Value(5) : 1);
                break;
            case var s when s.StartsWith("min_p_", StringComparison.Ordinal):
                LogitsProcessors.MinP(logits, Value(2));
                break;
            case var s when s.StartsWith("typical_p_", StringComparison.Ordinal):
                LogitsProcessors.TypicalP(logits, Value(2));
                break;
            case var s when s.StartsWith("repetition_penalty_", StringComparison.Ordinal):
                LogitsProcessors.RepetitionPenalty(logits, text, Value(2));
                break;
            case var s when s.StartsWith("no_repeat_ngram_", StringComparison.Ordinal):
                LogitsProcessors.NoRepeatNgram(logits, text, (int)Value(3));
                break;
            default:
                throw new ParityException($"No test knows the logits processor '{setting}'.");
        }
    }

    /// <summary>The removed tokens are the same ones; the rest agree.</summary>
    private static void Compare(ReferenceCase reference, string what, double[] actual, ReadOnlySpan<double> expected)
    {
        for (var i = 0; i < actual.Length; i++)
        {
            if (double.IsNegativeInfinity(expected[i]) || double.IsNegativeInfinity(actual[i]))
            {
                reference.Compare(
                    $"{what}: {i} removed", double.IsNegativeInfinity(actual[i]) ? 1 : 0,
                    double.IsNegativeInfinity(expected[i]) ? 1 : 0, 0);
            }
            else
            {
                reference.Compare($"{what}[{i}]", actual[i], expected[i], reference.Tolerance("atol"));
            }
        }
    }
}
