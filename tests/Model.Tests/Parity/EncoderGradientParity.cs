using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Parity;

/// <summary>The loss and every gradient of an encoder classifier against the reference stack.</summary>
internal static class EncoderGradientParity
{
    public static void Check(IBackend backend, ReferenceCase reference)
    {
        var config = EncoderConfig.Load(reference.ModelFolder);
        using var weights = EncoderWeights.Load(
            backend, config, reference.ModelFolder, EncoderLearning.Everything);
        var sequences = EncoderParity.Sequences(reference);
        using var model = new EncoderClassifier(backend, weights, sequences.Max(s => s.Length));
        using var workspace = new EncoderWorkspace(
            model, sequences.Sum(s => s.Length), sequences.Length, forBackward: true);
        var (logits, pass) = model.Forward(sequences, workspace);
        var labels = reference.Doubles("labels");
        var (loss, gradient) = reference.Text("loss_type") switch
        {
            "mse" => SquaredError(logits, labels),
            "cross_entropy" => CrossEntropy(logits, labels, config.Labels),
            var other => throw new ParityException($"{reference.Name}: no test knows the loss {other}."),
        };
        model.Backward(pass, gradient);
        reference.Compare("num_labels", config.Labels, 0);
        reference.Compare("loss", loss, reference.Tolerance("loss_atol"));
        CheckGradients(reference, weights.Parameters.ToDictionary(p => p.Name));
        reference.MustBeReadWhole();
    }

    private static void CheckGradients(ReferenceCase reference, Dictionary<string, Parameter> parameters)
    {
        var (atol, rtol) = (reference.Tolerance("grad_atol"), reference.Tolerance("grad_rtol"));
        foreach (var name in reference.TensorNames("grad."))
        {
            reference.Compare(
                name, parameters[name["grad.".Length..]].Gradient.ReadDoubles(), reference.Doubles(name), atol, rtol);
        }

        foreach (var summary in reference.Field("grad_summary").EnumerateObject())
        {
            var found = parameters[summary.Name].Gradient.ReadDoubles();
            var (l2, largest) =
                (summary.Value.GetProperty("l2").GetDouble(), summary.Value.GetProperty("abs_max").GetDouble());
            reference.Compare(
                $"grad_summary {summary.Name} l2", Math.Sqrt(found.Sum(g => g * g)), l2, atol + (rtol * l2));
            reference.Compare(
                $"grad_summary {summary.Name} abs_max", found.Max(Math.Abs), largest, atol + (rtol * largest));
        }
    }

    private static (double Loss, double[] Gradient) SquaredError(double[] logits, double[] labels) => (
        logits.Zip(labels, (y, t) => (y - t) * (y - t)).Average(),
        [.. logits.Zip(labels, (y, t) => 2 * (y - t) / logits.Length)]);

    private static (double Loss, double[] Gradient) CrossEntropy(double[] logits, double[] labels, int classes)
    {
        var (loss, gradient) = (0.0, new double[logits.Length]);
        for (var b = 0; b < labels.Length; b++)
        {
            var row = logits.AsSpan(b * classes, classes).ToArray();
            var logSum = Math.Log(row.Sum(Math.Exp));
            loss += (logSum - row[(int)labels[b]]) / labels.Length;
            for (var c = 0; c < classes; c++)
            {
                gradient[(b * classes) + c] =
                    (Math.Exp(row[c] - logSum) - (c == (int)labels[b] ? 1 : 0)) / labels.Length;
            }
        }

        return (loss, gradient);
    }
}
