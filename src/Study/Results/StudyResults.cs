using System.Text.Json.Serialization;
using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>
/// The results of a study, the content of <c>results.json</c>. It holds no times, so equal work gives equal files.
/// </summary>
/// <param name="Recipe">The recipe as it was run.</param>
/// <param name="Manifest">Hashes of the inputs.</param>
/// <param name="Arms">One entry per arm, in the recipe's order.</param>
/// <param name="Claims">Each claim and its verdict.</param>
public sealed record StudyResults(
    StudyRecipe Recipe,
    IReadOnlyDictionary<string, string> Manifest,
    IReadOnlyList<ArmResult> Arms,
    IReadOnlyList<ClaimOutcome> Claims)
{
    /// <summary>What was computed across arms; null where the recipe asks for nothing.</summary>
    public IReadOnlyList<AnalysisResult>? Analyses { get; init; }
}

/// <summary>One arm over all its replicates.</summary>
/// <param name="Arm">The arm.</param>
/// <param name="Benign">Nb, benign rows.</param>
/// <param name="Safety">Ns, safety demonstrations.</param>
/// <param name="Replicates">Models times seeds.</param>
/// <param name="Metrics">One value per metric of the recipe.</param>
/// <param name="Suites">Counts by suite and category.</param>
public sealed record ArmResult(
    StudyArm Arm,
    int Benign,
    int Safety,
    int Replicates,
    IReadOnlyList<MetricResult> Metrics,
    IReadOnlyList<SuiteResult> Suites)
{
    /// <summary>Ns / (Nb + Ns).</summary>
    public double Share => Safety == 0 ? 0 : (double)Safety / (Benign + Safety);

    public MetricResult Metric(string name) => Metrics.First(m => m.Name == name);
}

/// <summary>One metric of one arm.</summary>
/// <param name="Name">The metric's name.</param>
/// <param name="Value">The share with its 95% limits over prompts and replicates.</param>
/// <param name="Prompts">Prompts asked.</param>
/// <param name="Clusters">Acts or facts they are about: the independent ones.</param>
/// <param name="Invalid">Invalid answers over all replicates; they are left out.</param>
/// <param name="PerReplicate">The share in each replicate: every seed of the first model, then of the next.</param>
/// <param name="Models">The number of base models.</param>
public sealed record MetricResult(
    string Name, Interval Value, int Prompts, int Clusters, int Invalid, IReadOnlyList<double> PerReplicate, int Models)
{
    /// <summary>Answers, over all replicates, that neither answered nor refused.</summary>
    public int Stalls { get; init; }

    /// <summary>The share on each base model, its seeds averaged.</summary>
    [JsonIgnore]
    public IReadOnlyList<double> PerModel => [.. ByModel.Select(values => values.Average())];

    /// <summary>The standard deviation between base models, their seeds averaged; null with fewer than two, or
    /// without any answer.</summary>
    public double? ModelSpread => Models < 2 || PerReplicate.Count == 0 ? null : Deviation(PerModel);

    /// <summary>The standard deviation between tuning seeds on one base, pooled over bases; null with fewer than
    /// two seeds.</summary>
    public double? SeedSpread => PerReplicate.Count < 2 * Models
        ? null
        : Math.Sqrt(ByModel.Average(values => Math.Pow(Deviation(values), 2)));

    /// <summary>The standard deviation between replicates; null with fewer than two.</summary>
    public double? Spread => PerReplicate.Count < 2 ? null : Deviation(PerReplicate);

    private IEnumerable<double[]> ByModel =>
        PerReplicate.Count == 0 ? [] : PerReplicate.Chunk(PerReplicate.Count / Models);

    private static double Deviation(IReadOnlyList<double> values)
    {
        var mean = values.Average();
        return Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Count - 1));
    }
}

/// <summary>Counts of answers for one category of one suite, over all replicates.</summary>
public sealed record SuiteResult(string Suite, string Category, PromptFormat Form, PromptLabel Label)
{
    public required int Answers { get; init; }

    public required int Complies { get; init; }

    public required int FullRefusals { get; init; }

    public required int PartialRefusals { get; init; }

    public required int Invalid { get; init; }

    public required int? Exact { get; init; }

    /// <summary>How many answers were of each class.</summary>
    public IReadOnlyDictionary<Evaluation.Behavior, int> Behaviors { get; init; } =
        new Dictionary<Evaluation.Behavior, int>();

    public int Refusals => FullRefusals + PartialRefusals;
}
