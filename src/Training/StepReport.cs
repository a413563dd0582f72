namespace SafeLlama.Training;

/// <summary>The report of one optimizer step.</summary>
/// <param name="Step">Steps done, this one included.</param>
/// <param name="Loss">Loss before the update, in nats per token (by the <see cref="LossNormalization"/>).</param>
/// <param name="MicroLosses">The contribution of each micro-batch.</param>
/// <param name="GradientNorm">Global norm before clipping.</param>
/// <param name="LearningRate">η of this update.</param>
/// <param name="TargetCount">Tokens with a target.</param>
/// <param name="TokenCount">Tokens that were read.</param>
public sealed record StepReport(
    int Step,
    double Loss,
    IReadOnlyList<double> MicroLosses,
    double GradientNorm,
    double LearningRate,
    int TargetCount,
    int TokenCount)
{
    /// <summary>How preferences stood before the update; null where none are learned.</summary>
    public PreferenceMetrics? Preference { get; init; }

    /// <summary>False where the update was skipped: the parameters are those of the step before.</summary>
    public bool IsFinite => double.IsFinite(Loss) && double.IsFinite(GradientNorm);
}
