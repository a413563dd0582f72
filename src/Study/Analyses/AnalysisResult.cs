using System.Text.Json.Serialization;
using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>What an analysis found.</summary>
/// <param name="Name">The analysis.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Sentence">The answer in words that a reader quotes.</param>
/// <param name="Findings">Numbers that claims may be about.</param>
/// <param name="Curves">What the figure shows.</param>
public sealed record AnalysisResult(
    string Name, AnalysisKind Kind, string Sentence, IReadOnlyList<Finding> Findings,
    IReadOnlyList<AnalysisCurve> Curves)
{
    /// <summary>The one number of the answer, for an index; null where there is none.</summary>
    [JsonIgnore]
    public Finding? First => Findings.Count > 0 ? Findings[0] : null;

    public Finding Finding(string name) => Findings.First(f => f.Name == name);
}

/// <summary>The unit of a finding, which decides how it is written.</summary>
public enum FindingUnit
{
    /// <summary>A number of demonstrations.</summary>
    Dose,

    /// <summary>A difference of shares, written in points.</summary>
    Share,

    /// <summary>A share, written in percent.</summary>
    Rate,

    /// <summary>A plain number: a ratio or a slope.</summary>
    Number,

    /// <summary>Turns of a conversation or training steps.</summary>
    Time,

    /// <summary>The p of a test.</summary>
    Probability,
}

/// <summary>One number with its limits.</summary>
/// <param name="Name">Its name within the analysis.</param>
/// <param name="Title">What it is, for tables.</param>
public sealed record Finding(string Name, string Title, FindingUnit Unit, Estimate Estimate)
{
    /// <summary>What no number means: nothing was answered that it could be read from, unless the analysis knows that
    /// there is none.</summary>
    [JsonIgnore]
    public string Without { get; init; } = "unknown";
}

/// <summary>Points of a figure that belong together.</summary>
/// <param name="Name">Its name in the key.</param>
/// <param name="Metric">The metric shown.</param>
public sealed record AnalysisCurve(string Name, string Metric, IReadOnlyList<AnalysisPoint> Points)
{
    /// <summary>From where to where the figure shades, along x; null where nothing is shaded.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<double>? Shaded { get; init; }
}

/// <summary>One point with its limits.</summary>
/// <param name="X">Where it stands: a dose, a distance, a turn.</param>
/// <param name="Arm">The arm that it is of.</param>
public sealed record AnalysisPoint(double X, string Arm, Interval Value)
{
    /// <summary>Where it stands up the page, where a map is drawn; null where its value says so.</summary>
    public double? Y { get; init; }
}
