namespace SafeLlama.Evaluation;

/// <summary>A summary as CSV: one row per metric, numbers in full precision.</summary>
public static class SummaryCsv
{
    private static readonly string[] Header =
    [
        "judge", "judge_hash", "suite", "metric", "value", "low", "high", "n", "count", "invalid", "unscored",
        "corrected",
        "corrected_low", "corrected_high", "method", "direction",
    ];

    public static string Of(EvaluationSummary summary) => CsvText.Of(Header, summary.Metrics.Select(row => (string[])
    [
        row.Judge, row.JudgeHash, row.Suite, row.Metric, Number(row.Value.Value), Number(row.Value.Low),
        Number(row.Value.High), $"{row.N}", $"{row.Count}", $"{row.Invalid}", $"{row.Unscored}",
        Number(row.Corrected?.Value), Number(row.Corrected?.Low), Number(row.Corrected?.High), row.Method,
        row.Direction,
    ]));

    private static string Number(double? x) => x is { } value && !double.IsNaN(value) ? value.ToString("R") : "";
}
