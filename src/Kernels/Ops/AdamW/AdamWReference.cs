namespace SafeLlama.Kernels;

/// <summary>The equation as fp64 loops.</summary>
public sealed class AdamWReference : AdamW
{
    protected override void UpdateCore(
        Tensor value, Tensor gradient, Tensor m, Tensor v, in AdamWStep step, Tensor normSquared)
    {
        var clip = ClipFactor(normSquared.AsElements<double>()[0], step.MaxNorm);
        if (!double.IsFinite(clip))
        {
            return;
        }

        var (values, gradients, ms, vs) =
            (value.AsRows<double>(), gradient.AsDoubles(), m.AsRows<double>(), v.AsRows<double>());
        var (bias1, bias2) = (1 - Math.Pow(step.Beta1, step.Step), 1 - Math.Pow(step.Beta2, step.Step));
        for (var n = 0; n < value.Rows; n++)
        {
            for (var i = 0; i < value.Columns; i++)
            {
                var g = clip * gradients[n][i];
                ms[n][i] = (step.Beta1 * ms[n][i]) + ((1 - step.Beta1) * g);
                vs[n][i] = (step.Beta2 * vs[n][i]) + ((1 - step.Beta2) * g * g);
                var decayed = values[n][i] * (1 - (step.LearningRate * step.WeightDecay));
                values[n][i] =
                    decayed - (step.LearningRate * (ms[n][i] / bias1) / (Math.Sqrt(vs[n][i] / bias2) + step.Epsilon));
            }
        }
    }
}
