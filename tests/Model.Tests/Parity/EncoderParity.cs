using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Parity;

/// <summary>Buckets, hidden states and logits of an encoder classifier against the reference stack.</summary>
internal static class EncoderParity
{
    public static void Check(IBackend backend, ReferenceCase reference)
    {
        var config = EncoderConfig.Load(reference.ModelFolder);
        using var weights = EncoderWeights.Load(backend, config, reference.ModelFolder);
        var sequences = Sequences(reference);
        using var model = new EncoderClassifier(backend, weights, sequences.Max(s => s.Length));
        using var workspace = new EncoderWorkspace(
            model, sequences.Sum(s => s.Length), sequences.Length, forBackward: true);
        CheckBuckets(reference, config);
        var (logits, pass) = model.Forward(sequences, workspace);
        CheckHidden(reference, config, pass, sequences[0].Length);
        CheckAttention(reference, config, pass, sequences[0].Length);
        var (atol, rtol) = (reference.Tolerance("logits_atol"), reference.Tolerance("logits_rtol"));
        reference.Compare("num_labels", config.Labels, 0);
        reference.Compare("logits", logits, reference.Doubles("logits"), atol, rtol);
        reference.Compare(
            "logits_row0", logits.AsSpan(0, config.Labels),
            [.. reference.Field("logits_row0").EnumerateArray().Select(v => v.GetDouble())], atol, rtol);
        reference.Compare(
            "lengths", [.. sequences.Select(s => (double)s.Length)],
            [.. reference.Field("lengths").EnumerateArray().Select(v => v.GetDouble())], 0);
        foreach (var effect in reference.Field("effect").EnumerateObject())
        {
            // A known mistake must move the logits by more than is tolerated, or this case would not see it.
            reference.Compare($"effect {effect.Name} is seen", effect.Value.GetDouble() > atol ? 1 : 0, 1, 0);
        }

        reference.MustBeReadWhole();
    }

    /// <summary>Each row of the padded batch, without its padding.</summary>
    public static int[][] Sequences(ReferenceCase reference)
    {
        var columns = reference.ShapeOf("input_ids")[1];
        var (ids, mask) = (reference.Ints("input_ids"), reference.Ints("attention_mask"));
        return [.. Enumerable.Range(0, ids.Length).Chunk(columns)
            .Select(row => row.Where(i => mask[i] == 1).Select(i => ids[i]).ToArray())];
    }

    private static void CheckBuckets(ReferenceCase reference, EncoderConfig config)
    {
        var buckets = reference.Field("buckets");
        var from = buckets.GetProperty("from_relative_position").GetInt32();
        double[] expected = [.. buckets.GetProperty("values").EnumerateArray().Select(v => v.GetDouble())];
        reference.Compare(
            "buckets",
            [.. Enumerable.Range(from, expected.Length).Select(r => (double)RelativePositions.Bucket(config, r))],
            expected, 0);
    }

    private static void CheckHidden(ReferenceCase reference, EncoderConfig config, EncoderPass pass, int length)
    {
        for (var layer = 0; layer <= config.Layers; layer++)
        {
            var name = $"hidden_states.{layer}";
            reference.Compare(
                name, pass.Activations.Hidden(layer).Slice(0, length).ReadDoubles(), reference.Doubles(name),
                reference.Tolerance("hidden_atol"));
        }
    }

    /// <summary>Layer 0's probabilities of the first row, from its queries, keys and log-sums.</summary>
    private static void CheckAttention(ReferenceCase reference, EncoderConfig config, EncoderPass pass, int length)
    {
        var (a, d) = (pass.Activations.Block(0), config.HeadDim);
        double[][] Rows(Tensor tensor) => [.. tensor.ReadDoubles().Chunk(tensor.Columns)];
        var (q, k, kr, qr) = (Rows(a.Query), Rows(a.Key), Rows(a.RelativeKey), Rows(a.RelativeQuery));
        var (logSum, rows) = (Rows(a.LogSum), RelativePositions.Rows(config, length));
        var found = new double[config.Heads * length * length];
        for (var at = 0; at < found.Length; at++)
        {
            var (head, i, j) = (at / (length * length), at / length % length, at % length);
            var bucket = rows[length - 1 + i - j];
            var score = Enumerable.Range(head * d, d).Sum(e =>
                (q[i][e] * k[j][e]) + (q[i][e] * kr[bucket][e]) + (k[j][e] * qr[bucket][e]));
            found[at] = Math.Exp((score / Math.Sqrt(3 * d)) - logSum[i][head]);
        }

        reference.Compare(
            "attention.0", found, reference.Doubles("attention.0"), reference.Tolerance("attention_atol"));
    }
}
