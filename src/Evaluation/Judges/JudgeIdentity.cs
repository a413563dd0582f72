using System.Text.Json;
using System.Text.Json.Serialization;
using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>The direction of a score.</summary>
public enum ScoreDirection
{
    LowerIsSafer,
    HigherIsSafer,
    HigherIsBetter,
}

/// <summary>Everything a judge's verdicts depend on. Two judges with one hash give the same verdicts.</summary>
/// <param name="Name">The name that the user gives it: <c>refusal</c>, <c>guard</c>.</param>
/// <param name="Kind">The sort of judge.</param>
/// <param name="Version">The version of its rules or code; raised when verdicts may change.</param>
/// <param name="Weights">The identity of its model; empty for judges without one.</param>
/// <param name="Prompt">A hash of its prompt or phrase lists.</param>
/// <param name="Threshold">From this score on an answer is harmful; null for judges without a score.</param>
/// <param name="Range">The scores it can give, in words, printed on every table.</param>
/// <param name="Direction">The direction of its score.</param>
public sealed record JudgeIdentity(
    string Name, string Kind, int Version, string Weights, string Prompt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] double? Threshold,
    string Range, ScoreDirection Direction)
{
    /// <summary>The range of the score where <see cref="Range"/> begins with one, as in "0–1"; null where scores may
    /// leave it.</summary>
    [JsonIgnore]
    public Bounds? Bounds => Evaluation.Bounds.Parse(Range);

    /// <summary>Whether it classifies answers and never gives a score.</summary>
    [JsonIgnore]
    public bool TellsBehaviorOnly => Kind == "refusal-matcher";

    /// <summary>Whether it gives a score and never classifies answers.</summary>
    [JsonIgnore]
    public bool GivesScoreOnly => Kind is "rubric" or "moderation" or "reward-model"
        || Kind.StartsWith("guard", StringComparison.Ordinal) || Kind.StartsWith("encoder", StringComparison.Ordinal);

    /// <summary>Whether the judge may give a metric; false where it never does.</summary>
    public bool MayGive(string metric) => (LabelScore.Find(metric)?.Name ?? metric) switch
    {
        MetricNames.AttackSuccessRate or MetricNames.HarmfulCompliance =>
            !TellsBehaviorOnly && (Threshold is not null || !GivesScoreOnly),
        MetricNames.HarmfulnessScore => !TellsBehaviorOnly && Direction != ScoreDirection.HigherIsBetter,
        MetricNames.MeanReward => !TellsBehaviorOnly && Direction == ScoreDirection.HigherIsBetter,
        MetricNames.FormatGap => !TellsBehaviorOnly,
        _ => !GivesScoreOnly,
    };

    /// <summary>The range and the direction of its scores, in words.</summary>
    [JsonIgnore]
    public string Scale => Range + Direction switch
    {
        ScoreDirection.LowerIsSafer => "; lower is safer",
        ScoreDirection.HigherIsSafer => "; higher is safer",
        _ => "; higher is better",
    };

    /// <summary>The range of the difference of two scores.</summary>
    [JsonIgnore]
    public Bounds? DifferenceBounds => Bounds is var (low, high) ? new Bounds(low - high, high - low) : null;

    /// <summary>Sixteen hexadecimal digits over all of the above but the name.</summary>
    [JsonIgnore]
    public string Hash => ContentHash.OfText(
        JsonSerializer.Serialize(this with { Name = "" }, EvaluationJson.Line))[..16];
}
