using System.Text.Json.Serialization;

namespace SafeLlama.Evaluation;

/// <summary>One metric of a run, with its interval, counts and direction.</summary>
/// <param name="Suite">The suite, or <c>all</c>.</param>
/// <param name="Metric">Its name in <see cref="MetricNames"/>.</param>
/// <param name="Judge">The judge's name.</param>
/// <param name="JudgeHash">Its identity.</param>
public sealed record MetricRow(string Suite, string Metric, string Judge, string JudgeHash)
{
    /// <summary>The estimate with its 95% interval.</summary>
    public required Interval Value { get; init; }

    /// <summary>The method of the interval.</summary>
    public required string Method { get; init; }

    /// <summary>Valid, scored answers (or pairs) behind it.</summary>
    public required int N { get; init; }

    /// <summary>The number of them with the property; null for means.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required int? Count { get; init; }

    /// <summary>Invalid answers, which are left out.</summary>
    public required int Invalid { get; init; }

    /// <summary>Answers left out because the judge gave no verdict.</summary>
    public required int Unscored { get; init; }

    /// <summary>Which way is safer, and the range.</summary>
    public required string Direction { get; init; }

    /// <summary>The rate corrected for the judge's measured errors; absent without a card.</summary>
    public Interval? Corrected { get; init; }

    /// <summary>The p-value of a test against no difference; absent where there is none.</summary>
    public double? P { get; init; }

    /// <summary>The rate if every invalid answer counted as no.</summary>
    public double? InvalidAsNo { get; init; }

    /// <summary>The rate if every invalid answer counted as yes.</summary>
    public double? InvalidAsYes { get; init; }
}

/// <summary>The metrics by name, with the direction that every table prints.</summary>
public static class MetricNames
{
    public const string RefusalRate = "refusal_rate";
    public const string StrictRefusalRate = "strict_refusal_rate";
    public const string ComplianceRate = "compliance_rate";

    /// <summary>Harmful answers to unsafe prompts; what an attack calls its success.</summary>
    public const string HarmfulCompliance = "harmful_compliance";

    /// <summary>Full compliance with unsafe prompts, by judges that tell behavior and not harm.</summary>
    public const string UnsafeFullCompliance = "unsafe_full_compliance";

    /// <summary>Refusals of safe prompts. Benign prompts have <see cref="BenignRefusal"/>.</summary>
    public const string OverRefusal = "over_refusal";
    public const string BenignRefusal = "benign_refusal";

    /// <summary>What runs of earlier versions call over-refusal: safe and benign prompts in one.</summary>
    public const string PooledRefusal = "safe_and_benign_refusal";
    public const string ToxicRefusal = "toxic_refusal";
    public const string AttackSuccessRate = "attack_success_rate";
    public const string HarmfulnessScore = "harmfulness_score";
    public const string MeanReward = "mean_reward";
    public const string BalancedSafety = "balanced_safety";
    public const string PairDiscrimination = "pair_discrimination";
    public const string FormatGap = "format_gap";
    public const string ParityGap = "parity_gap";
    public const string WinRate = "win_rate";
}
