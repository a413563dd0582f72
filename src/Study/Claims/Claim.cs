namespace SafeLlama.Study;

/// <summary>The test of a claim.</summary>
public enum ClaimTest
{
    /// <summary>The metric is lower in <see cref="Claim.Arm"/> than in <see cref="Claim.Baseline"/>, by the threshold
    /// or more.</summary>
    Lower,

    /// <summary>The metric is higher, by the threshold or more.</summary>
    Higher,

    /// <summary>The metric differs by less than the threshold, shown by two one-sided tests.</summary>
    Equivalent,

    /// <summary>The metric rises along <see cref="Claim.Along"/> (Page's test), by the threshold from first to
    /// last.</summary>
    Rising,

    /// <summary>The metric falls along <see cref="Claim.Along"/>.</summary>
    Falling,

    /// <summary>The finding lies below the threshold.</summary>
    Below,

    /// <summary>The finding lies above the threshold.</summary>
    Above,

    /// <summary>The finding lies within ± the threshold, shown by two one-sided tests.</summary>
    Within,
}

/// <summary>A statement of the paper in a form that can be tested against results.</summary>
/// <remarks>Thresholds are fixed before results are seen; numbers are never tuned to a claim.</remarks>
public sealed record Claim
{
    public required string Id { get; init; }

    /// <summary>The statement in words.</summary>
    public required string Statement { get; init; }

    /// <summary>The metric compared.</summary>
    public string Metric { get; init; } = "";

    /// <summary>Instead of a metric of arms: a finding of an analysis, as <c>analysis.finding</c>.</summary>
    public string? Finding { get; init; }

    /// <summary>The baseline's metric, where it is another one (a format gap compares two metrics of one
    /// arm).</summary>
    public string? BaselineMetric { get; init; }

    public required ClaimTest Test { get; init; }

    /// <summary>The arm the statement is about.</summary>
    public string Arm { get; init; } = "";

    /// <summary>The arm it is compared with.</summary>
    public string Baseline { get; init; } = "";

    /// <summary>Arms in order of dose, for a rise or a fall.</summary>
    public IReadOnlyList<string> Along { get; init; } = [];

    /// <summary>The smallest difference that counts, or the margin of equivalence; 0.02 is two points.</summary>
    public double Threshold { get; init; }
}

/// <summary>The verdict on a claim.</summary>
public enum ClaimVerdict
{
    /// <summary>The whole interval lies beyond the threshold.</summary>
    Reproduced,

    /// <summary>The direction is right beyond chance, the size is not certain.</summary>
    Partly,

    /// <summary>The limits exclude what the claim says.</summary>
    NotReproduced,

    /// <summary>The limits hold both what the claim says and nothing at all, fewer bases or seeds were run than it asks
    /// for, groups of prompts are too few for the test, or invalid answers decide.</summary>
    CannotTell,
}

/// <summary>A claim with its test result.</summary>
/// <param name="Claim">The claim.</param>
/// <param name="Verdict">The verdict.</param>
/// <param name="Difference">The difference (arm less baseline, or last less first) with its limits.</param>
/// <param name="Confidence">The coverage of the limits: 0.95, for equivalence 0.90.</param>
/// <param name="P">The p-value of the test that was used.</param>
/// <param name="Prompts">How many prompts were compared.</param>
/// <param name="Replicates">How many models times seeds.</param>
/// <param name="Note">The comparison in words.</param>
public sealed record ClaimOutcome(
    Claim Claim,
    ClaimVerdict Verdict,
    Evaluation.Interval Difference,
    double Confidence,
    double P,
    int Prompts,
    int Replicates,
    string Note)
{
    /// <summary>The finding that it is about, in its own unit; null for a difference of arms.</summary>
    public Finding? Found { get; init; }

    /// <summary>p, adjusted for all claims of the study by Holm's method; null where the study does not ask for
    /// it.</summary>
    public double? AdjustedP { get; init; }
}
