using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Inference;

namespace SafeLlama.Evaluation;

/// <summary>The tables of a run.</summary>
/// <param name="Model">The responder's identity.</param>
/// <param name="Settings">How answers were decoded.</param>
/// <param name="Answers">Answers in the run.</param>
/// <param name="Prompts">Prompts in the run.</param>
/// <param name="CutOff">Answers that ended at the limit of tokens.</param>
/// <param name="Metrics">Judge by judge, suite by suite.</param>
/// <param name="Unscored">The reasons of missing verdicts: judge, reason and count.</param>
/// <param name="Notes">Remarks, one line each.</param>
public sealed record EvaluationSummary(
    string Model,
    DecodingConfig Settings,
    int Answers,
    int Prompts,
    int CutOff,
    IReadOnlyList<MetricRow> Metrics,
    IReadOnlyList<EvaluationSummary.UnscoredReason> Unscored,
    IReadOnlyList<string> Notes)
{
    public const string FileName = "summary.json";

    /// <summary>Every two judges of the run on the same answers.</summary>
    public IReadOnlyList<JudgePair> JudgePairs { get; init; } = [];

    /// <summary>How many answers a judge gave no verdict on, by reason.</summary>
    public sealed record UnscoredReason(string Judge, string Reason, int Count);

    /// <summary>How many answers of a suite one judge put into each class.</summary>
    public sealed record BehaviorCounts(
        string Judge, string JudgeHash, string Suite, IReadOnlyDictionary<string, int> Counts);

    /// <summary>The classes of answers, from judges that classify; empty in runs of earlier versions.</summary>
    public IReadOnlyList<BehaviorCounts> Behaviors { get; init; } = [];

    public static EvaluationSummary Build(
        RunManifest manifest,
        IReadOnlyList<SuitePrompt> prompts,
        IReadOnlyList<Response> responses,
        IReadOnlyList<Verdict> verdicts,
        IReadOnlyDictionary<string, JudgeCard> cards,
        IReadOnlyList<string> notes)
    {
        var metrics = new List<MetricRow>();
        var unscored = new List<UnscoredReason>();
        var judges = new List<(JudgeIdentity, IReadOnlyList<Outcome>)>();
        var behaviors = new List<BehaviorCounts>();
        foreach (var (hash, identity) in manifest.Judges)
        {
            var outcomes = Outcome.Join(prompts, responses, verdicts, hash);
            judges.Add((identity, outcomes));
            metrics.AddRange(MetricTable.Measure(outcomes, identity, cards.GetValueOrDefault(hash), manifest.Seed));
            behaviors.AddRange(outcomes.Where(o => o.Verdict.Behavior is not null).GroupBy(o => o.Prompt.Suite)
                .Select(suite => new BehaviorCounts(identity.Name, hash, suite.Key, Count(suite))));
            unscored.AddRange(outcomes.Where(o => o.Verdict.Unscored is not null).GroupBy(o => o.Verdict.Unscored!)
                .OrderByDescending(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal)
                .Select(g => new UnscoredReason(identity.Name, g.Key, g.Count())));
        }

        return new(
            manifest.Model, manifest.Settings, responses.Count, prompts.Count,
            responses.Count(r => r.StopReason == "length"), metrics, unscored,
            [.. notes, .. JudgeCards.Remarks(cards).Except(notes)])
        {
            JudgePairs = JudgeConclusions.Pairs(judges),
            Behaviors = behaviors,
        };
    }

    private static SortedDictionary<string, int> Count(IEnumerable<Outcome> outcomes) => new(
        outcomes.GroupBy(o => o.Verdict.Behavior!.Value).ToDictionary(
            g => JsonNamingPolicy.SnakeCaseLower.ConvertName(g.Key.ToString()), g => g.Count()),
        StringComparer.Ordinal);

    /// <summary>The row of this metric; with no suite named, that over all suites, or of the only one.</summary>
    public MetricRow? Find(string metric, string? suite = null, string? judge = null)
    {
        var rows = Metrics.Where(m => m.Metric == metric && (judge is null || m.Judge == judge)).ToArray();
        return suite is not null
            ? rows.FirstOrDefault(m => m.Suite == suite)
            : rows.FirstOrDefault(m => m.Suite == MetricTable.AllSuites) ?? rows.FirstOrDefault();
    }

    /// <summary>Writes <c>summary.json</c>, <c>summary.md</c> and <c>summary.csv</c>.</summary>
    public void Write(string folder)
    {
        OutputFile.WriteText(
            Path.Combine(folder, FileName), JsonSerializer.Serialize(this, EvaluationJson.Document) + "\n");
        OutputFile.WriteText(Path.Combine(folder, "summary.md"), SummaryMarkdown.Of(this));
        OutputFile.WriteText(Path.Combine(folder, "summary.csv"), SummaryCsv.Of(this));
    }

    /// <summary>Earlier versions called refusals of safe and benign prompts in one <c>over_refusal</c>.</summary>
    private static MetricRow OfNow(MetricRow row) =>
        row.Metric != MetricNames.OverRefusal || row.Direction == RateMetric.OverRefusalDirection ? row : row with
        {
            Metric = MetricNames.PooledRefusal,
            Direction = $"{row.Direction}; safe and benign prompts in one, by an earlier version that called it "
                + $"over_refusal; judging the run again gives {MetricNames.OverRefusal}",
        };

    /// <exception cref="SafeLlamaException">There is no summary, or it is damaged.</exception>
    public static EvaluationSummary Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            var summary = JsonRecord.Parse<EvaluationSummary>(
                File.ReadAllBytes(path), path, "is no summary", EvaluationJson.Line);
            return summary with { Metrics = [.. summary.Metrics.Select(OfNow)] };
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw Unfinished($"{path}: cannot be read: {FileErrors.Reason(e, path)}");
        }
    }

    /// <summary>What is said where a run should be whole.</summary>
    internal static SafeLlamaException Unfinished(string found) => SafeLlamaException.Usage(
        $"{found} The run is not finished.",
        $"go on with it with `{nameof(EvaluationPlan.Resume)}`", "finish it with evaluate, told to resume");
}
