using SafeLlama.Common;

namespace SafeLlama.Training;

/// <summary>A validation loss that a run goes on until, in nats a token; none where <paramref name="Loss"/> is
/// absent.</summary>
internal readonly record struct LossTarget(double? Loss)
{
    /// <exception cref="SafeLlamaException">Usage: no rows are held out.</exception>
    public void Check(TrainingData data)
    {
        if (Loss is not null && data.ValidationCount == 0)
        {
            throw SafeLlamaException.Usage(
                $"`{nameof(TrainingConfig.UntilLoss)}` {Loss}: no rows are held out, so no such loss is ever measured.",
                "hold some out with `Validation`");
        }
    }

    /// <summary>Whether the best validation so far had it.</summary>
    public bool IsReachedBy(BestStep? best) => best is not null && best.Loss <= Loss;

    /// <summary>What a run says at its end; null where it went for no loss.</summary>
    public string? Ending(BestStep? best, int steps, int totalSteps) =>
        Loss is null ? null
        : IsReachedBy(best) ? $"stopped at step {steps} of {totalSteps}: validation loss {best!.Loss:F4}, until {Loss}"
        : $"the validation loss did not fall to {Loss}: the best is {best?.Loss:F4}, after {steps} steps";
}
