using System.Text.Json.Serialization;
using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>What is computed across arms.</summary>
public enum AnalysisKind
{
    /// <summary>The dose at which harm falls to a level, and the doses that are safe: <see cref="DoseAnalysis"/>.</summary>
    Dose,
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

    /// <summary>Arms in groups, each in order.</summary>
    public IReadOnlyList<AnalysisSeries> Series { get; init; } = [];

    /// <summary>The level that the metric is to reach, 0.05 for 5%.</summary>
    [JsonConverter(typeof(ShareConverter))]
    public double? Level { get; init; }

    /// <summary>The loss of quality that is allowed, or the difference that counts as none; 0.01 is one point.</summary>
    public double? Margin { get; init; }

    /// <summary>How many doses are added to each series after the first run, each halving the doses between which
    /// the level is reached.</summary>
    public int? Refine { get; init; }
}

/// <summary>Arms that belong together, such as those of one way to choose rows.</summary>
public sealed record AnalysisSeries
{
    public required string Name { get; init; }

    /// <summary>Names of arms, in order.</summary>
    public required IReadOnlyList<string> Arms { get; init; }
}

/// <summary>How many bases and seeds a study's claims ask for; with fewer, each is left open.</summary>
public sealed record StudyEvidence
{
    public int Models { get; init; } = 3;

    public int Seeds { get; init; } = 3;
}

/// <summary>What a page says besides numbers.</summary>
public sealed record StudyPageText
{
    /// <summary>Where the question comes from.</summary>
    public string? Source { get; init; }

    /// <summary>What the answer does not cover.</summary>
    public IReadOnlyList<string> Limits { get; init; } = [];

    /// <summary>What would change the answer.</summary>
    public IReadOnlyList<string> WouldChange { get; init; } = [];

    /// <summary>How far the answer carries, in one sentence.</summary>
    public string? Carries { get; init; }
}
