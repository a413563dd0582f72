using SafeLlama.Common;

namespace SafeLlama.Training;

/// <summary>What is told of a run's defenses before and after it.</summary>
public static class DefenseAdvice
{
    /// <summary>What they do to the steps and their time, a line each.</summary>
    public static IEnumerable<string> Plan(TrainingConfig config)
    {
        if (config.Defense is not { } defense)
        {
            yield break;
        }

        if (defense.Constrained is { } c)
        {
            yield return FormattableString.Invariant(
                $"defense constrained: beta {c.BetaOf(0)} on an answer's first token, {c.BetaOf(1)} on the others of ")
                + FormattableString.Invariant($"its first {c.EarlyTokens}, {c.Beta} on the rest; the model as it begins ")
                + "reads all rows once.";
        }

        if (defense.Lisa is { } l)
        {
            yield return $"defense lisa: {Counted.Of(l.AlignmentSteps, "step")} on safety rows and {l.TuningSteps} on the "
                + "others take turns, "
                + FormattableString.Invariant($"rho {l.Rho}; the weights are kept a second time.");
        }

        if (defense.Booster is { } b)
        {
            yield return FormattableString.Invariant(
                $"defense booster: lambda {b.Lambda}, alpha {b.Alpha}; two more forward and backward passes a step, ")
                + "over harmful rows: about three times the work.";
        }

        if (defense.SafeLora is { } s)
        {
            yield return FormattableString.Invariant(
                $"defense safe-lora: the trained update is projected onto {s.Aligned} minus {s.Unaligned} where its ")
                + FormattableString.Invariant($"cosine is at most {s.Threshold} ({(s.Exact ? "exact" : "published")}).");
        }
    }
}
