using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>Computes results from graded answers.</summary>
public static class ResultsBuilder
{
    /// <param name="recipe">The recipe that was run.</param>
    /// <param name="benign">Nb.</param>
    /// <param name="outcomes">All graded answers.</param>
    /// <param name="manifest">Hashes of the inputs.</param>
    /// <param name="weights">How many weights a base has.</param>
    public static StudyResults Build(
        StudyRecipe recipe, int benign, Outcomes outcomes, IReadOnlyDictionary<string, string> manifest,
        Func<string, long>? weights = null)
    {
        var found = new AnalysisData(recipe, benign, outcomes) { Weights = weights ?? (_ => 0) };
        var analyses = recipe.Analyses is null ? null : Analyses.Compute(found);
        return new(
            recipe,
            manifest,
            [.. recipe.Arms.Select(arm => Arm(arm, benign, outcomes, recipe.Metrics))],
            StudyClaims.Judge(found, analyses ?? []))
        {
            Analyses = analyses,
        };
    }

    private static ArmResult Arm(StudyArm arm, int benign, Outcomes outcomes, IReadOnlyList<StudyMetric> metrics)
    {
        var runs = outcomes.Runs.Where(run => run.Replicate.Arm == arm.Name).ToList();
        return new(
            arm,
            benign,
            arm.Demonstrations(benign),
            runs.Count,
            [.. metrics.Select(metric => Metric(arm.Name, metric, outcomes))],
            [
                .. runs.SelectMany(run => run.Answers)
                    .GroupBy(a => (a.Prompt.Suite, a.Prompt.Category, a.Prompt.Form, a.Prompt.Label))
                    .Select(group => Suite(group.Key, [.. group])),
            ]);
    }

    private static MetricResult Metric(string arm, StudyMetric metric, Outcomes outcomes)
    {
        var scores = outcomes.Scores(arm, metric);
        return new(
            metric.Name,
            CrossedBootstrap.Mean(scores),
            outcomes.Prompts(arm, metric),
            scores.Select(s => s.Prompt.Cluster).Distinct().Count(),
            outcomes.Invalid(arm, metric),
            outcomes.PerReplicate(arm, metric),
            outcomes.Models(arm))
        {
            Stalls = outcomes.Count(arm, metric, a => a.Verdict == Behavior.Stall),
        };
    }

    private static SuiteResult Suite(
        (string Suite, string Category, PromptFormat Form, PromptLabel Label) kind, List<GradedAnswer> answers) =>
        new(kind.Suite, kind.Category, kind.Form, kind.Label)
        {
            Answers = answers.Count,
            Complies = answers.Count(a => a.Complies),
            FullRefusals = answers.Count(a => a.Verdict == Behavior.FullRefusal),
            PartialRefusals = answers.Count(a => a.Verdict == Behavior.PartialRefusal),
            Invalid = answers.Count(a => a.IsInvalid),
            Exact = answers.Any(a => a.Exact is not null) ? answers.Count(a => a.Exact == true) : null,
            Behaviors = new SortedDictionary<Behavior, int>(
                answers.GroupBy(a => a.Verdict).ToDictionary(g => g.Key, g => g.Count())),
        };
}
