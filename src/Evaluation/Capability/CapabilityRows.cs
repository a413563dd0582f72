namespace SafeLlama.Evaluation;

/// <summary>The capability of a model as metric rows, which gates can read.</summary>
public static class CapabilityRows
{
    /// <summary>The name in the judge column of these rows.</summary>
    public const string Judge = "likelihood";

    /// <summary>The name of the task for held-out text.</summary>
    public const string Text = "text";

    private const string HigherIsBetter = "0–1; higher is better";

    /// <param name="results">One per task.</param>
    /// <param name="perplexity">Of held-out text; null where none was scored.</param>
    public static IReadOnlyList<MetricRow> Of(IReadOnlyList<MultipleChoice.Result> results, Perplexity? perplexity) =>
    [
        .. results.SelectMany(r => (MetricRow[])
        [
            Row(r.Task, "acc", r.Accuracy, r.N, HigherIsBetter),
            Row(r.Task, "acc_norm", r.AccuracyNormalized, r.N, HigherIsBetter),
        ]),
        .. perplexity is null
            ? (MetricRow[])[]
            : [Row(Text, "perplexity", perplexity.Value, perplexity.Texts, "above 1; lower is better")],
    ];

    private static MetricRow Row(string suite, string metric, Interval value, int n, string direction) =>
        new(suite, metric, Judge, "")
        {
            Value = value,
            Method = RowMethod.Of(value, Wilson.Method),
            N = n,
            Count = null,
            Invalid = 0,
            Unscored = 0,
            Direction = direction,
        };
}
