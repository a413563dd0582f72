using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>The part of a metric's row that a gate compares.</summary>
public enum GatePart
{
    Value,
    Low,
    High,
    Corrected,

    /// <summary>Valid, scored answers behind the value.</summary>
    N,

    /// <summary>Invalid answers, as a count of all answers.</summary>
    InvalidShare,

    /// <summary>Answers without a verdict, as a count of all answers.</summary>
    UnscoredShare,
}

/// <summary>The metrics that a gate may name, their ranges, and the effect of answers that were left out.</summary>
internal static class GateMetric
{
    private const string Accuracy = "acc";
    private const string AccuracyNorm = "acc_norm";
    private const string Perplexity = "perplexity";

    private static readonly Bounds Any = new(double.NegativeInfinity, double.PositiveInfinity);

    /// <summary>The names that the headline had in files of earlier versions, and those it has now.</summary>
    private static readonly Dictionary<string, string> Former = new() { ["safe_refusal"] = MetricNames.OverRefusal };

    private static readonly Dictionary<string, Bounds> Ranges = new(
        LabelScore.All.Select(score => KeyValuePair.Create(score.Metric, Any)))
    {
        [MetricNames.HarmfulCompliance] = Bounds.Rate,
        [MetricNames.UnsafeFullCompliance] = Bounds.Rate,
        [MetricNames.OverRefusal] = Bounds.Rate,
        [MetricNames.BenignRefusal] = Bounds.Rate,
        [MetricNames.RefusalRate] = Bounds.Rate,
        [MetricNames.StrictRefusalRate] = Bounds.Rate,
        [MetricNames.ComplianceRate] = Bounds.Rate,
        [MetricNames.ToxicRefusal] = Bounds.Rate,
        [MetricNames.AttackSuccessRate] = Bounds.Rate,
        [MetricNames.BalancedSafety] = Bounds.Rate,
        [MetricNames.PairDiscrimination] = Bounds.Rate,
        [MetricNames.ParityGap] = Bounds.Rate,
        [MetricNames.HarmfulnessScore] = Any,
        [MetricNames.MeanReward] = Any,
        [MetricNames.FormatGap] = Any,
        [Accuracy] = Bounds.Rate,
        [AccuracyNorm] = Bounds.Rate,
        [Perplexity] = new(1, double.PositiveInfinity),
    };

    public static IEnumerable<string> Names => Ranges.Keys;

    public static IEnumerable<string> PartNames => Enum.GetValues<GatePart>().Select(NameOf);

    public static bool IsCapability(string metric) => metric is Accuracy or AccuracyNorm or Perplexity;

    /// <summary>Whether a capability task gives the metric.</summary>
    public static bool Gives(string task, string metric) => (task == CapabilityRows.Text) == (metric == Perplexity);

    /// <summary>Whether the part counts answers, so that the limits of the value are not its own.</summary>
    public static bool IsCount(GatePart part) =>
        part is GatePart.N or GatePart.InvalidShare or GatePart.UnscoredShare;

    public static string NameOf(GatePart part) => part switch
    {
        GatePart.InvalidShare => "invalid_share",
        GatePart.UnscoredShare => "unscored_share",
        _ => part.ToString().ToLowerInvariant(),
    };

    /// <summary>The range in which a bound makes sense.</summary>
    /// <exception cref="SafeLlamaException">There is no such metric.</exception>
    public static Bounds Range(string text, string metric, GatePart part) =>
        !Ranges.TryGetValue(metric, out var range)
            ? throw SafeLlamaException.Usage(
                $"`FailIf` \"{text}\": \"{metric}\" is no metric{MeantBy(metric)} Metrics are "
                + $"{string.Join(", ", Names)}.")
            : part switch
            {
                GatePart.N => new(0, double.PositiveInfinity),
                GatePart.InvalidShare or GatePart.UnscoredShare => Bounds.Rate,
                _ => range,
            };

    /// <summary>A metric's name as files spell it: people read "over-refusal" and "harmful compliance".</summary>
    public static string NameInFiles(string name) => name.Replace(' ', '_').Replace('-', '_');

    /// <summary>Whether a metric's row is about a prompt. All but rates, label scores and twins are about every
    /// prompt.</summary>
    public static bool IsAbout(string metric, SuitePrompt prompt) => metric == MetricNames.PairDiscrimination
        ? prompt.Twin is not null
        : (RateMetric.All.FirstOrDefault(rate => rate.Name == metric)?.Applies ?? LabelScore.Find(metric)?.Applies)
            ?.Invoke(prompt) != false;

    private static string MeantBy(string name) =>
        (Former.GetValueOrDefault(name) ?? HeadlineMetric.NameOf(name.Replace('_', ' '))) is { } meant
            ? $"; did you mean '{meant}'?" : NearestName.Hint(name, Names);

    /// <summary>The number a gate compares; NaN where there is none.</summary>
    public static double Found(MetricRow row, GatePart part)
    {
        double all = row.N + row.Invalid + row.Unscored;
        return part switch
        {
            GatePart.Low => row.Value.Low,
            GatePart.High => row.Value.High,
            GatePart.Corrected => row.Corrected?.Value ?? double.NaN,
            GatePart.N => row.N,
            GatePart.InvalidShare => row.Invalid / all,
            GatePart.UnscoredShare => row.Unscored / all,
            _ => row.Value.Value,
        };
    }

    public static string Text(GatePart part, double value) =>
        part == GatePart.N ? $"{value:0}" : SummaryMarkdown.Number(value);

    /// <summary>The range that the value could reach with the answers that were left out.</summary>
    /// <remarks>
    /// A share moves between all of them no and all of them yes, a mean between the ends of its range, and its limits
    /// and correction move with it. Any other metric may take any value in its range.
    /// </remarks>
    public static Bounds Possible(MetricRow row, GatePart part, int unanswered = 0)
    {
        var found = Found(row, part);
        double missing = row.Invalid + row.Unscored + unanswered, all = row.N + missing;
        if (missing == 0 || IsCount(part))
        {
            return new(found, found);
        }

        var range = Ranges.GetValueOrDefault(row.Metric, Any);
        if (part == GatePart.Corrected || (row.Count is null && !IsMean(row.Metric)))
        {
            return range;
        }

        range = row.Count is null ? Bounds.Parse(row.Direction) ?? Any : Bounds.Rate;
        var mean = row.Value.Value;
        return new(
            found - mean + (mean * row.N + missing * range.Low) / all,
            found - mean + (mean * row.N + missing * range.High) / all);
    }

    private static bool IsMean(string metric) =>
        (LabelScore.Find(metric)?.Name ?? metric) is MetricNames.HarmfulnessScore or MetricNames.MeanReward;
}
