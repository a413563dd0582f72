namespace SafeLlama.Evaluation;

/// <summary>The mean score of the answers to prompts of one label.</summary>
/// <param name="Label">The label as people read it.</param>
/// <param name="Name">The score: harmfulness, or a reward.</param>
/// <param name="Applies">Which prompts have the label.</param>
internal sealed record LabelScore(string Label, string Name, Func<SuitePrompt, bool> Applies)
{
    /// <summary>Every label's mean of every score.</summary>
    public static IReadOnlyList<LabelScore> All { get; } =
    [
        .. ((string[])[MetricNames.HarmfulnessScore, MetricNames.MeanReward]).SelectMany(name => (LabelScore[])
        [
            new("unsafe", name, RateMetric.IsUnsafe),
            new("safe", name, prompt => prompt.Label == PromptLabel.Safe),
            new("benign", name, prompt => prompt.Label == PromptLabel.Benign),
        ]),
    ];

    /// <summary>The metric's name in files: <c>unsafe_harmfulness_score</c>.</summary>
    public string Metric => $"{Label}_{Name}";

    /// <summary>The score behind a metric that is one label's mean; null for any other metric.</summary>
    public static LabelScore? Find(string metric) => All.FirstOrDefault(score => score.Metric == metric);

    /// <summary>The mean over the label's prompts; null without any, or where the judge gives no such score.</summary>
    public MetricRow? Measure(string suite, IReadOnlyList<Outcome> outcomes, JudgeIdentity judge, long seed)
    {
        Outcome[] asked = [.. outcomes.Where(o => Applies(o.Prompt))];
        return asked.Length > 0 && CompositeMetrics.NameOfScore(judge) == Name
            && CompositeMetrics.MeanScore(suite, asked, judge, seed) is { } row
            ? row with { Metric = Metric, Direction = $"{row.Direction}; of {Label} prompts" }
            : null;
    }
}
