using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>What analyses read: the answers of every arm, and facts about arms and bases.</summary>
/// <param name="Recipe">The recipe as it was run.</param>
/// <param name="Benign">Nb.</param>
/// <param name="Outcomes">All graded answers.</param>
public sealed record AnalysisData(StudyRecipe Recipe, int Benign, Outcomes Outcomes)
{
    /// <summary>How many weights a base has; only sizes ask.</summary>
    public Func<string, long> Weights { get; init; } = _ => 0;

    /// <summary>What an answer begins with: where it was seen.</summary>
    public string Where => Recipe.Data.UsesFiles ? "On these files" : "On this world";

    /// <summary>The same on some of the bases alone.</summary>
    public AnalysisData OnModels(IReadOnlyList<string> models) => this with
    {
        Outcomes = new([.. models.SelectMany(m => Outcomes.Runs.Where(run => run.Replicate.Model == m))]),
    };

    public StudyMetric Metric(string name) => Recipe.Metrics.First(m => m.Name == name);

    /// <summary>The arms of a series that were run, in its order.</summary>
    public IReadOnlyList<StudyArm> Arms(AnalysisSeries series) =>
        [.. series.Arms.Select(name => Recipe.Arms.FirstOrDefault(a => a.Name == name)).OfType<StudyArm>()];

    /// <summary>Ns of an arm.</summary>
    public int Dose(StudyArm arm) => arm.Demonstrations(Benign);

    public IReadOnlyList<PromptScores> Scores(StudyArm arm, string metric) =>
        Outcomes.Scores(arm.Name, Metric(metric));

    /// <summary>As above, on prompts of one category.</summary>
    public IReadOnlyList<PromptScores> Scores(StudyArm arm, string metric, string category) =>
        [.. Scores(arm, metric).Where(s => s.Prompt.Category == category)];

    /// <summary>A metric of an arm with its limits.</summary>
    public Interval Value(StudyArm arm, string metric) => CrossedBootstrap.Mean(Scores(arm, metric));

    /// <summary>A metric of an arm on each base, its seeds averaged.</summary>
    public IReadOnlyList<double> PerModel(StudyArm arm, string metric)
    {
        var values = Outcomes.PerReplicate(arm.Name, Metric(metric));
        var models = Outcomes.Models(arm.Name);
        return values.Count == 0 ? [] : [.. values.Chunk(values.Count / models).Select(v => v.Average())];
    }

    /// <summary>Resamples of the same metric in several arms.</summary>
    public CrossedDraws Draws(IReadOnlyList<(StudyArm Arm, string Metric)> cells) =>
        Draws(cells, [.. cells.Select(c => c.Metric)]);

    /// <summary>Resamples of cells in strata: those of one stratum are about the same acts.</summary>
    public CrossedDraws Draws(IReadOnlyList<(StudyArm Arm, string Metric)> cells, IReadOnlyList<string> strata) =>
        Draws([.. cells.Select(c => Scores(c.Arm, c.Metric))], strata);

    /// <summary>Resamples of these scores.</summary>
    public static CrossedDraws Draws(IReadOnlyList<IReadOnlyList<CrossedScores>> cells, IReadOnlyList<string> strata) =>
        new(cells, strata);
}
