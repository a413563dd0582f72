using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>What a step minimizes: a sum over micro-batches, each scaled.</summary>
public abstract class StepObjective
{
    /// <summary>Looks at all of a step, or of a validation, before the first of it is computed.</summary>
    /// <param name="workspace">For passes of its own; they are over when it returns.</param>
    public virtual void Begin(Llama model, Workspace workspace, IReadOnlyList<PackedBatch> batches)
    {
    }

    /// <summary>The factor on the summed loss of each micro-batch; the loss is the sum of the scaled ones.</summary>
    public abstract double[] Scales(IReadOnlyList<PackedBatch> batches);

    /// <summary>What the mean loss of a validation is taken over.</summary>
    public abstract int Count(PackedBatch batch);

    /// <summary>After a forward pass: the loss, and where there is room, ∂(scaled loss)/∂output.</summary>
    /// <param name="scale">From <see cref="Scales"/>.</param>
    /// <param name="total">[1] Float64: the summed loss, added to; not scaled.</param>
    public abstract void Loss(Llama model, Pass pass, PackedBatch batch, double scale, Tensor total);

    /// <summary>What else there is to tell since <see cref="Begin"/>; null where there is nothing.</summary>
    public virtual PreferenceMetrics? Metrics() => null;
}

/// <summary>The negative log-likelihood of targets, in nats per token.</summary>
public sealed class TokenObjective(LossNormalization divisor = LossNormalization.Targets) : StepObjective
{
    public override double[] Scales(IReadOnlyList<PackedBatch> batches) => divisor.Scales(batches);

    public override int Count(PackedBatch batch) => batch.TargetCount;

    public override void Loss(Llama model, Pass pass, PackedBatch batch, double scale, Tensor total) =>
        model.Loss(pass, scale, total);
}
