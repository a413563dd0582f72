
namespace SafeLlama.Study;

/// <summary>The analyses of the program, one per kind.</summary>
public static class Analyses
{
    private static readonly Dictionary<AnalysisKind, IAnalysis> Known = new()
    {
        [AnalysisKind.Dose] = new DoseAnalysis(),
        [AnalysisKind.Size] = new SizeAnalysis(),
        [AnalysisKind.Mixture] = new MixtureAnalysis(),
        [AnalysisKind.Gap] = new GapAnalysis(),
        [AnalysisKind.Coverage] = new CoverageAnalysis(),
        [AnalysisKind.Distance] = new DistanceAnalysis(),
        [AnalysisKind.Survival] = new SurvivalAnalysis(),
        [AnalysisKind.Attack] = new AttackAnalysis(),
    };

    public static IAnalysis Of(AnalysisKind kind) => Known[kind];

    /// <summary>Every analysis of a recipe.</summary>
    public static IReadOnlyList<AnalysisResult> Compute(AnalysisData data) =>
    [
        .. (data.Recipe.Analyses ?? []).Select(a => Of(a.Kind).Compute(a, data))
            .Select(result => result.Findings.All(f => double.IsNaN(f.Estimate.Value))
                && result.Curves.SelectMany(c => c.Points).All(p => double.IsNaN(p.Value.Value))
                ? result with
                {
                    Sentence = $"{data.Where}, nothing was answered that \"{result.Name}\" could be computed from.",
                }
                : result),
    ];

    /// <summary>One sentence for each error in a recipe's analyses.</summary>
    public static IEnumerable<string> Problems(StudyRecipe recipe)
    {
        var analyses = recipe.Analyses ?? [];
        if (analyses.Select(a => a.Name).Distinct().Count() != analyses.Count)
        {
            yield return "two analyses have one name.";
        }

        foreach (var analysis in analyses)
        {
            foreach (var problem in Common(analysis, recipe).Concat(Of(analysis.Kind).Problems(analysis, recipe)))
            {
                yield return $"analysis {analysis.Name}: {problem}";
            }
        }
    }

    /// <summary>Whether a finding of this name exists.</summary>
    public static bool Gives(StudyRecipe recipe, string finding) => (recipe.Analyses ?? [])
        .Any(a => Of(a.Kind).Names(a).Any(name => finding == $"{a.Name}.{name}"));

    /// <summary>The arms that a finding's analysis reads; a finding without some of them is another one.</summary>
    internal static string[] ArmsOf(StudyRecipe recipe, string finding) =>
    [
        .. (recipe.Analyses ?? []).Where(a => Of(a.Kind).Names(a).Any(name => finding == $"{a.Name}.{name}"))
            .SelectMany(a => a.Series).SelectMany(s => s.Arms).Distinct(),
    ];

    /// <summary>The finding that a claim names.</summary>
    internal static Finding? Find(IReadOnlyList<AnalysisResult> results, string name) => results
        .SelectMany(r => r.Findings.Select(f => (Name: $"{r.Name}.{f.Name}", Finding: f)))
        .FirstOrDefault(f => f.Name == name).Finding;

    private static IEnumerable<string> Common(StudyAnalysis analysis, StudyRecipe recipe)
    {
        foreach (var metric in new[] { analysis.Metric, analysis.Quality, analysis.Cost, analysis.Against }
            .OfType<string>().Concat(analysis.Metrics ?? []).Distinct()
            .Where(name => recipe.Metrics.All(m => m.Name != name)))
        {
            yield return $"there is no metric \"{metric}\".";
        }

        foreach (var arm in analysis.Series.SelectMany(s => s.Arms).Distinct()
            .Where(name => recipe.Arms.All(a => a.Name != name)))
        {
            yield return $"there is no arm \"{arm}\".";
        }

        foreach (var series in analysis.Series)
        {
            if (series.Arms.Count == 0)
            {
                yield return $"series {series.Name} has no arms.";
            }

            if (series.Arms.Distinct().Count() < series.Arms.Count)
            {
                yield return $"series {series.Name} names an arm twice.";
            }
        }

        if (analysis.Series.Select(s => s.Name).Distinct().Count() != analysis.Series.Count)
        {
            yield return "two series have one name.";
        }

        foreach (var model in (analysis.Sizes ?? []).SelectMany(s => s.Models)
            .Where(model => !recipe.Models.Contains(model)))
        {
            yield return $"there is no model \"{model}\".";
        }

        foreach (var unread in Unread(analysis))
        {
            yield return $"{unread} has no effect on a {analysis.Kind.ToString().ToLowerInvariant()}.";
        }

        if (analysis.Level is { } level && level is not (> 0 and < 1))
        {
            yield return $"level is {level}, expected a share between 0 and 1.";
        }

        if (analysis.Margin is { } margin && margin is not (> 0 and < 1))
        {
            yield return $"margin is {margin}, expected a difference between 0 and 1.";
        }
    }

    /// <summary>Settings given that the kind does not read.</summary>
    private static IEnumerable<string> Unread(StudyAnalysis analysis)
    {
        var kind = analysis.Kind;
        return new (string Name, bool Given, bool Read)[]
        {
            ("quality", analysis.Quality is not null, kind == AnalysisKind.Dose),
            ("cost", analysis.Cost is not null, kind is AnalysisKind.Dose or AnalysisKind.Mixture),
            ("against", analysis.Against is not null, kind == AnalysisKind.Gap),
            ("metrics", analysis.Metrics is not null, kind == AnalysisKind.Mixture),
            ("times", analysis.Times is not null, kind == AnalysisKind.Survival),
            ("sizes", analysis.Sizes is not null, kind == AnalysisKind.Size),
            ("level", analysis.Level is not null, kind is AnalysisKind.Dose or AnalysisKind.Size),
            ("margin", analysis.Margin is not null, kind == AnalysisKind.Dose),
            ("refine", analysis.Refine is not null, kind == AnalysisKind.Dose),
            ("trials", analysis.Trials is not null, kind == AnalysisKind.Attack),
        }.Where(s => s.Given && !s.Read).Select(s => s.Name);
    }
}
