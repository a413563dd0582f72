using SafeLlama.Common;

namespace SafeLlama.Training;

/// <summary>How the learning rate falls after its peak.</summary>
public enum ScheduleShape
{
    Linear,
    Cosine,
    Constant,
}

/// <summary>The learning rate of every step: a linear rise, then a constant, a line or half a cosine.</summary>
/// <remarks>
/// <code>
/// t &lt; W     η(t) = η · t / W                          the first step of a warm-up learns nothing
/// constant  η(t) = η
/// linear    η(t) = η · (S − t) / (S − W)
/// cosine    η(t) = η · ½ (1 + cos(π (t − W) / (S − W)))
/// </code>
/// t counts steps from 0, W warm-up steps, S all steps: the schedules of Hugging Face's
/// <c>get_*_schedule_with_warmup</c>.
/// </remarks>
/// <param name="Shape">What follows the warm-up.</param>
/// <param name="Peak">η, reached when the warm-up ends.</param>
/// <param name="WarmupSteps">W.</param>
/// <param name="TotalSteps">S.</param>
public sealed record LearningRateSchedule(ScheduleShape Shape, double Peak, int WarmupSteps, int TotalSteps)
{
    /// <summary>The rate of a step, from 0.</summary>
    public double At(int step)
    {
        if (step < WarmupSteps)
        {
            return Peak * step / WarmupSteps;
        }

        var left = TotalSteps - step;
        var span = Math.Max(1, TotalSteps - WarmupSteps);
        return Shape switch
        {
            ScheduleShape.Linear => Peak * Math.Max(0, left) / span,
            ScheduleShape.Cosine => Peak * Math.Max(0, 0.5 * (1 + Math.Cos(Math.PI * (step - WarmupSteps) / span))),
            _ => Peak,
        };
    }

    /// <exception cref="SafeLlamaException">A value is out of range, or the run ends inside its warm-up.</exception>
    public void Validate()
    {
        if (!(Peak > 0 && double.IsFinite(Peak)))
        {
            throw SafeLlamaException.Usage(
                $"`LearningRate` {Peak}: expected a positive number; 0 would learn nothing.");
        }

        if (WarmupSteps < 0 || WarmupSteps >= TotalSteps)
        {
            throw SafeLlamaException.Usage(
                $"`{nameof(WarmupSteps)}` {WarmupSteps}: expected 0 to {TotalSteps - 1}, less than the {TotalSteps} "
                + "steps of the run.",
                "lower it", "train longer with `Epochs`", "train longer with `Steps`");
        }
    }
}
