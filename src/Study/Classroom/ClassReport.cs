using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>What a class found: n students are n seeds.</summary>
/// <param name="Files">Files that were handed in.</param>
/// <param name="Seeds">Of the results that count, in order.</param>
/// <param name="Refused">Files that were left out, and why.</param>
/// <param name="Metrics">Each metric in each arm.</param>
/// <param name="Claims">The claims of the recipe, judged over seeds.</param>
public sealed record ClassReport(
    int Files, IReadOnlyList<long> Seeds, IReadOnlyList<RefusedFile> Refused, IReadOnlyList<ClassMetric> Metrics,
    IReadOnlyList<ClaimOutcome> Claims)
{
    /// <summary>Judges the files of a class; their order makes no difference.</summary>
    public static ClassReport Of(ClassPlan plan, IReadOnlyList<ClassFile> files)
    {
        var (results, refused) = new ClassFiles(plan).Sort(files);
        return new(
            files.Count, [.. results.Select(r => r.Seed)], refused,
            [
                .. from metric in ClassPlan.Recipe.Metrics
                   from arm in ClassPlan.Recipe.Arms
                   select ClassMetric.Of(metric, arm.Name, plan.Prompts[metric.Name], results),
            ],
            new ClassJudge(results, plan.Prompts).Judge(ClassPlan.Recipe));
    }
}

/// <summary>One metric in one arm over all students.</summary>
/// <param name="Name">The metric's name.</param>
/// <param name="Title">Its title.</param>
/// <param name="Arm">The arm's name.</param>
/// <param name="Prompts">How many prompts each student's model was asked.</param>
/// <param name="Mean">The mean of the students' rates with its 95% limits over seeds.</param>
/// <param name="BetweenSeeds">The standard deviation between seeds; null below two.</param>
/// <param name="Invalid">Invalid answers of all students; they are left out.</param>
/// <param name="Students">In order of seed.</param>
public sealed record ClassMetric(
    string Name, string Title, string Arm, int Prompts, Interval Mean, double? BetweenSeeds, int Invalid,
    IReadOnlyList<ClassStudent> Students)
{
    internal static ClassMetric Of(
        StudyMetric metric, string arm, int prompts, IReadOnlyList<ClassResult> results)
    {
        var students = results.Select(r => (r.Seed, Count: r.Counts[arm][metric.Name])).Select(r => new ClassStudent(
            r.Seed, r.Count.Yes, prompts - r.Count.Invalid, Wilson.Rate(r.Count.Yes, prompts - r.Count.Invalid)))
            .ToList();
        double[] rates = [.. students.Where(s => s.Answers > 0).Select(s => s.Rate.Value)];
        var spread = SeedSpread.Of(rates);
        return new(
            metric.Name, metric.Title, arm, prompts, ClassJudge.Limits(rates, Bounds.Rate, Interval.Level),
            double.IsNaN(spread.BetweenSeeds) ? null : spread.BetweenSeeds, students.Sum(s => prompts - s.Answers),
            students);
    }
}

/// <summary>One student's model.</summary>
/// <param name="Seed">Which student.</param>
/// <param name="Yes">Answers that the metric counts.</param>
/// <param name="Answers">Valid answers.</param>
/// <param name="Rate">Yes of answers with Wilson's 95% limits over prompts.</param>
public sealed record ClassStudent(long Seed, int Yes, int Answers, Interval Rate);
