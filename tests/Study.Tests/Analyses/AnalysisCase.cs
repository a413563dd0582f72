using SafeLlama.Evaluation;

namespace SafeLlama.Study.Tests;

/// <summary>A recipe with one analysis over answers that a test chooses, one base and one seed.</summary>
internal static class AnalysisCase
{
    public const string Suite = "unsafe-instruction";

    /// <summary>An analysis named x of one series.</summary>
    public static StudyAnalysis Asked(AnalysisKind kind, string metric, params IReadOnlyList<string> arms) => new()
    {
        Name = "x",
        Kind = kind,
        Metric = metric,
        Series = [new() { Name = "s", Arms = arms }],
    };

    public static StudyArm Plain(string name, int dose = 0) => new() { Name = name, SafetyExamples = dose };

    public static StudyRecipe Recipe(StudyAnalysis analysis, params IReadOnlyList<StudyArm> arms) => new()
    {
        Name = "made-up",
        Question = "?",
        Models = ["m"],
        Metrics = Metrics,
        Arms = arms,
        Analyses = [analysis],
    };

    public static IReadOnlyList<StudyMetric> Metrics { get; } =
    [
        Metric("harm", Measure.Complies, null), Metric("refused_a", Measure.Refuses, ["a"]),
        Metric("refused_rest", Measure.Refuses, ["b", "c"]), Metric("harm_one", Measure.Complies, ["one"]),
        Metric("harm_two", Measure.Complies, ["two"]), Metric("harm_three", Measure.Complies, ["three"]),
    ];

    /// <summary>An arm's answers: by category, one sign for each act: 1 served, 0 refused, x none.</summary>
    public static (Replicate, IReadOnlyList<GradedAnswer>) Arm(
        string name, params IReadOnlyList<(string Category, string Acts)> answers) => Arm(name, "m", answers);

    public static (Replicate, IReadOnlyList<GradedAnswer>) Arm(
        string name, string model, IReadOnlyList<(string Category, string Acts)> answers, string suite = Suite) => (
        new(name, model, 1),
        [
            .. answers.SelectMany(a => a.Acts.Select((sign, act) => new GradedAnswer(
                new($"{suite}-{a.Category}/{act:D2}", suite, "…", PromptFormat.Instruction, PromptLabel.Unsafe,
                    a.Category, $"act {act}"),
                "…", sign == '1',
                sign switch
                {
                    '1' => Behavior.FullCompliance,
                    '0' => Behavior.FullRefusal,
                    _ => Behavior.Invalid,
                }, null))),
        ]);

    public static AnalysisResult Compute(
        StudyRecipe recipe, params IReadOnlyList<(Replicate, IReadOnlyList<GradedAnswer>)> arms)
    {
        var result = Analyses.Compute(new(recipe, 3000, new([.. arms]))).Single();
        foreach (var figure in StudyPage.Figures(new(recipe, new Dictionary<string, string>(), [], [])
        {
            Analyses = [result],
        }))
        {
            Assert.That(() => System.Xml.Linq.XDocument.Parse($"<page>{figure.Svg}</page>"), Throws.Nothing, figure.Title);
        }

        Assert.That(result.Findings.Select(f => f.Name), Is.SubsetOf(
            Analyses.Of(result.Kind).Names(recipe.Analyses![0])), "claims may name every finding");
        return result;
    }

    public static double Value(this AnalysisResult result, string finding) => result.Finding(finding).Estimate.Value;

    private static StudyMetric Metric(string name, Measure measure, IReadOnlyList<string>? categories) => new()
    {
        Name = name,
        Title = name,
        Measure = measure,
        Suites = [Suite],
        Categories = categories,
        LowerIsBetter = true,
    };
}
