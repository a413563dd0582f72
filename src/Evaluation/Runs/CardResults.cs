using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>The results of an evaluation run as a section of a model card.</summary>
public static class CardResults
{
    /// <summary>Reads a run, and makes sure that it asked what the card is about.</summary>
    /// <param name="folder">A finished run.</param>
    /// <param name="weights">The hashes of the model's and the adapter's files, by the name that a manifest gives
    /// them.</param>
    /// <exception cref="SafeLlamaException">The run is not finished, or another model or adapter answered.</exception>
    public static string Section(string folder, IReadOnlyDictionary<string, string> weights)
    {
        var run = RunFolder.OpenFinished(folder);
        var (manifest, summary) = (run.Manifest, run.Summary);
        var answered = manifest.Facts.Where(fact => IsWeights(fact.Key)).ToDictionary();
        if (weights.FirstOrDefault(file => answered.GetValueOrDefault(file.Key) != file.Value).Key is { } differing)
        {
            throw SafeLlamaException.Usage(
                $"`Results` {folder}: another model answered there: {differing} differs.",
                "evaluate this model and adapter");
        }

        if (answered.Keys.FirstOrDefault(name => !weights.ContainsKey(name)) is { } stray)
        {
            throw SafeLlamaException.Usage(
                $"`Results` {folder}: {stray} answered there, which is not exported.",
                "evaluate what is exported");
        }

        var suites = string.Join(", ", manifest.Suites.Select(
            suite => $"{SafeText.ForMarkdown(suite.Name)} ({Counted.Of(suite.Prompts, "prompt")}, "
                + $"sha256 {suite.Sha256})"));
        return $"{Counted.Of(summary.Answers, "answer")} to {suites}; "
            + $"decoding {SafeText.ForMarkdown(summary.Settings.Profile)}.\n\n"
            + Headline(HeadlineRow.Of(run))
            + MarkdownTable.Of(
                "judge|suite|metric|value:|95% interval|n:|invalid:|unscored:|direction",
                summary.Metrics.Select(row => (string[])
                [
                    SafeText.ForMarkdown(row.Judge), SafeText.ForMarkdown(row.Suite), SafeText.ForMarkdown(row.Metric),
                    SummaryMarkdown.Number(row.Value.Value), SummaryMarkdown.Limits(row.Value), $"{row.N}",
                    $"{row.Invalid}", $"{row.Unscored}", SafeText.ForMarkdown(row.Direction),
                ]));
    }

    /// <summary>The measures by label, each with its interval and n; the table of all metrics follows.</summary>
    private static string Headline(IReadOnlyList<HeadlineRow> rows) => rows.Count == 0 ? "" : MarkdownTable.Of(
        "measure|prompts|suite|judge|value:|95% interval|n:|invalid:|unscored:",
        rows.Select(row => (string[])
        [
            $"**{SafeText.ForMarkdown(row.Metric.TitleWithDirection)}**", row.Metric.Prompts,
            SafeText.ForMarkdown(row.Suite), SafeText.ForMarkdown(row.Judge), row.ValueText, row.LimitsText,
            $"{row.N}", $"{row.Invalid}", $"{row.Unscored}",
        ])) + "\n### All metrics\n\n";

    private static bool IsWeights(string fact) =>
        fact.StartsWith("weights ", StringComparison.Ordinal) || fact.StartsWith("adapter ", StringComparison.Ordinal);
}
