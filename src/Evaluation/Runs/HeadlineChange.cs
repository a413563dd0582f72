using System.Text.Json.Serialization;

namespace SafeLlama.Evaluation;

/// <summary>A headline measure of two runs over the same prompts: one test for one fact.</summary>
/// <param name="Metric">The measure.</param>
/// <param name="Prompts">The prompts that it is about: a label, or twins.</param>
/// <param name="Suite">The suite; suites are never pooled.</param>
/// <param name="Judge">The judge's name.</param>
/// <param name="JudgeHash">The judge's identity.</param>
/// <param name="Baseline">The first run's name.</param>
/// <param name="Candidate">The other run's name.</param>
public sealed record HeadlineChange(
    string Metric, string Prompts, string Suite, string Judge, string JudgeHash, string Baseline, string Candidate)
{
    /// <summary>The measure's name for people.</summary>
    public required string Title { get; init; }

    /// <summary>The question that the measure answers; tests of one family are adjusted together.</summary>
    public required string Family { get; init; }

    /// <summary>The direction of the measure.</summary>
    public required bool? LowerIsBetter { get; init; }

    /// <summary>The measure's name with the direction that is better.</summary>
    [JsonIgnore]
    public string TitleWithDirection => HeadlineMetric.WithDirection(Title, LowerIsBetter);

    /// <summary>Over the paired answers.</summary>
    public required double BaselineValue { get; init; }

    /// <summary>Over the paired answers.</summary>
    public required double CandidateValue { get; init; }

    /// <summary>Prompts (or pairs of twins) with a value in both runs.</summary>
    public required int N { get; init; }

    /// <summary>Prompts (or pairs of twins) of either run without such a partner.</summary>
    public required int LeftOut { get; init; }

    /// <summary>Those on which the first run alone says yes; null for scores.</summary>
    public required int? OnlyBaseline { get; init; }

    /// <summary>Those on which the other run alone says yes; null for scores.</summary>
    public required int? OnlyCandidate { get; init; }

    /// <summary>The test that gave p.</summary>
    public required string Test { get; init; }

    /// <summary>Two-sided.</summary>
    public required double P { get; init; }

    /// <summary>Candidate less baseline. The limits hold for all tests of the family at once (Bonferroni).</summary>
    public Interval AdjustedDifference { get; init; } = Interval.None;

    /// <summary>The coverage of each single interval: 1 − 0.05 / <see cref="Tests"/>.</summary>
    public double Confidence { get; init; } = Interval.Level;

    /// <summary>Adjusted over the family (Holm).</summary>
    public double PAdjusted { get; init; } = double.NaN;

    /// <summary>How many tests the family has.</summary>
    public int Tests { get; init; }

    /// <summary>The finding in words: "no significant change, adjusted p = 0.16".</summary>
    [JsonIgnore]
    public string Words => (PAdjusted >= ComparisonText.Level ? "no significant change"
        : CandidateValue > BaselineValue ? "rose" : "fell")
        + $", adjusted p {(PAdjusted < 0.001 ? "< 0.001" : "= " + ComparisonText.PlainP(PAdjusted))}"
        + (PAdjusted >= ComparisonText.Level && (AdjustedDifference.Low > 0 || AdjustedDifference.High < 0)
            ? "; the limits leave out 0, but the test decides, and so few prompts are not enough for it" : "");
}
