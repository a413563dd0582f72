namespace SafeLlama.Training;

/// <summary>A step's line of <c>metrics.jsonl</c>.</summary>
/// <param name="Step">Optimizer steps done.</param>
/// <param name="Epoch">Passes over the data after it.</param>
/// <param name="Loss">Training loss, in nats a token.</param>
/// <param name="GradientNorm">The global gradient norm before clipping.</param>
/// <param name="LearningRate">Of this step.</param>
/// <param name="Targets">Tokens with a target.</param>
/// <param name="Tokens">Tokens that passed through the model.</param>
public sealed record StepMetrics(
    int Step, double Epoch, double Loss, double GradientNorm, double LearningRate, int Targets, int Tokens)
{
    /// <summary>How preferences stood before the update; absent where none are learned.</summary>
    public PreferenceMetrics? Preference { get; init; }
}

/// <summary>A validation's line of <c>metrics.jsonl</c>.</summary>
/// <param name="Step">Optimizer steps done.</param>
/// <param name="ValidationLoss">Over all rows held out, in nats a token.</param>
/// <param name="ValidationLossGeneral">Over ordinary rows; absent where none is held out.</param>
/// <param name="ValidationLossSafety">Over safety rows; absent where none is held out.</param>
public sealed record ValidationMetrics(
    int Step, double ValidationLoss, double? ValidationLossGeneral, double? ValidationLossSafety)
{
    /// <summary>How preferences stand; absent where none are learned.</summary>
    public PreferenceMetrics? Preference { get; init; }
}

/// <summary>A line of <c>timings.jsonl</c>.</summary>
/// <param name="Step">Optimizer steps done.</param>
/// <param name="Seconds">Wall time of the step.</param>
/// <param name="TokensPerSecond">Tokens that passed through the model in that time.</param>
public sealed record StepTiming(int Step, double Seconds, double TokensPerSecond);
