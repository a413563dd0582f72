using System.Text.Json.Serialization;
using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>What is computed across arms.</summary>
public enum AnalysisKind
{
    /// <summary>The dose at which harm falls to a level, and which doses are safe: <see
    /// cref="DoseAnalysis"/>.</summary>
    Dose,

    /// <summary>Whether larger bases need more demonstrations: <see cref="SizeAnalysis"/>.</summary>
    Size,

    /// <summary>Which mixture of wordings protects best: <see cref="MixtureAnalysis"/>.</summary>
    Mixture,

    /// <summary>How much more often one group is refused: <see cref="GapAnalysis"/>.</summary>
    Gap,

    /// <summary>Whether refusals reach kinds of harm not demonstrated: <see cref="CoverageAnalysis"/>.</summary>
    Coverage,

    /// <summary>How far from the demonstrations' wording refusals reach: <see cref="DistanceAnalysis"/>.</summary>
    Distance,

    /// <summary>How long refusal lasts: <see cref="SurvivalAnalysis"/>.</summary>
    Survival,

    /// <summary>What the best attack reaches: <see cref="AttackAnalysis"/>.</summary>
    Attack,
}

/// <summary>A quantity that no single arm has: a dose, a slope, a gap. Claims may be about its findings.</summary>
public sealed record StudyAnalysis
{
    /// <summary>A short name; a finding of it is <c>name.finding</c>.</summary>
    public required string Name { get; init; }

    public required AnalysisKind Kind { get; init; }

    /// <summary>The metric that is read along the arms.</summary>
    public required string Metric { get; init; }

    /// <summary>The metric that must not be lost; null where the analysis reads none.</summary>
    public string? Quality { get; init; }

    /// <summary>The metric reported as the price; null where the analysis reads none.</summary>
    public string? Cost { get; init; }

    /// <summary>The metric that it is compared with, on other prompts about the same acts; null where none
    /// is.</summary>
    public string? Against { get; init; }

    /// <summary>Several metrics, of which the worst counts; null where one is read.</summary>
    public IReadOnlyList<string>? Metrics { get; init; }

    /// <summary>When each stage of a series was reached, such as training steps; null where arms are no
    /// stages.</summary>
    public IReadOnlyList<double>? Times { get; init; }

    /// <summary>The models of each size; null where sizes are not compared.</summary>
    public IReadOnlyList<AnalysisSize>? Sizes { get; init; }

    /// <summary>Arms in groups, each in order.</summary>
    public IReadOnlyList<AnalysisSeries> Series { get; init; } = [];

    /// <summary>The level that the metric is to reach, 0.05 for 5%.</summary>
    [JsonConverter(typeof(ShareConverter))]
    public double? Level { get; init; }

    /// <summary>The loss of quality that is allowed; 0.01 is one point.</summary>
    public double? Margin { get; init; }

    /// <summary>How many doses are added to each series after the first run, each halving the doses between which
    /// the level is reached.</summary>
    public int? Refine { get; init; }

    /// <summary>The attacks that count, as the recipe's attacks name them; null for all.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Trials { get; init; }
}

/// <summary>Arms that belong together, such as those of one way to choose rows.</summary>
public sealed record AnalysisSeries
{
    public required string Name { get; init; }

    /// <summary>Names of arms, in order.</summary>
    public required IReadOnlyList<string> Arms { get; init; }
}

/// <summary>Bases of one size.</summary>
public sealed record AnalysisSize
{
    public required string Name { get; init; }

    /// <summary>Their names among the recipe's models, in the same order of texts in every size.</summary>
    public required IReadOnlyList<string> Models { get; init; }
}

/// <summary>How many bases and seeds a study's claims ask for; with fewer, each is left open.</summary>
public sealed record StudyEvidence
{
    public int Models { get; init; } = 3;

    public int Seeds { get; init; } = 3;

    /// <summary>The most by which the bases' losses on held-out text may differ, in nats; null where they may differ
    /// as they do.</summary>
    public double? BaseLossWithin { get; init; }
}

/// <summary>What a page says besides numbers.</summary>
public sealed record StudyPageText
{
    /// <summary>Where the question comes from.</summary>
    public string? Source { get; init; }

    /// <summary>Commands that make the bases, where no name tells how.</summary>
    public IReadOnlyList<string> Bases { get; init; } = [];

    /// <summary>What the answer does not cover.</summary>
    public IReadOnlyList<string> Limits { get; init; } = [];

    /// <summary>What would change the answer.</summary>
    public IReadOnlyList<string> WouldChange { get; init; } = [];

    /// <summary>How far the answer carries, in one sentence.</summary>
    public string? Carries { get; init; }
}
