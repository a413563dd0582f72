namespace SafeLlama.Study;

/// <summary>Everything a study's report shows.</summary>
/// <param name="Results">Tables and claims.</param>
/// <param name="Curves">How each arm was trained: one model, one seed.</param>
/// <param name="Transcripts">What each arm answered to a choice of prompts: the same model and seed.</param>
/// <param name="Lesson">Details of one tuned model; null where there are none.</param>
public sealed record StudyReport(
    StudyResults Results,
    IReadOnlyList<(string Arm, TrainingSummary Training)> Curves,
    IReadOnlyList<Transcript> Transcripts,
    StudyLesson? Lesson)
{
    /// <summary>The model that the page can run; null where it is too large, or of another form.</summary>
    public PageModel? Live { get; init; }

    /// <summary>The refusal directions of the arms; null where they were not read.</summary>
    public StudyDirections? Directions { get; init; }

    /// <summary>Prompts shown for each category of each suite.</summary>
    private const int Shown = 6;

    /// <summary>The report on a finished study. Prompts are chosen by their number, never by their answers.</summary>
    public static StudyReport Of(StudyRun run)
    {
        var first = run.Replicates[0].Replicate;
        var chosen = run.Replicates.Where(r =>
            r.Replicate.Model == first.Model && r.Replicate.Seed == first.Seed).ToList();
        // An attack may have broken an arm, which then has no answer to show beside the others'.
        var answers = chosen.Select(r => (r.Replicate.Arm, ById: r.Answers.ToDictionary(a => a.Prompt.Id))).ToList();
        var transcripts = chosen[0].Answers.Select(answer => answer.Prompt)
            .Where(prompt => answers.All(arm => arm.ById.ContainsKey(prompt.Id)))
            .GroupBy(prompt => (prompt.Suite, prompt.Category))
            .SelectMany(group => Spread([.. group]))
            .Select(prompt => new Transcript(prompt, [.. answers.Select(arm => (arm.Arm, arm.ById[prompt.Id]))]));
        return new(
            run.Results,
            [.. chosen.Where(r => r.Training.Curve.Count > 0).Select(r => (r.Replicate.Arm, r.Training))],
            [.. transcripts],
            run.Lesson)
        {
            Live = run.Live,
            Directions = run.Directions,
        };
    }

    /// <summary>The metrics the dose curve shows.</summary>
    public IReadOnlyList<StudyMetric> Headline => StudyMetric.HeadlineOf(Results.Recipe);

    /// <summary>The metrics that the dose curve shows or a claim is about, in the recipe's order.</summary>
    public IReadOnlyList<StudyMetric> Compared =>
    [
        .. Results.Recipe.Metrics.Where(metric => Headline.Contains(metric)
            || Results.Recipe.Claims.Any(claim => claim.Metric == metric.Name || claim.BaselineMetric == metric.Name)),
    ];

    /// <summary>The longest series of arms that differ only in their dose, in its order.</summary>
    public IReadOnlyList<ArmResult> DoseArms =>
    [
        .. Results.Arms.Where(a => !a.Arm.Untrained)
            .GroupBy(a => a.Arm with { Name = "", SafetyExamples = null, SafetyShare = null })
            .OrderByDescending(g => g.Count())
            .First()
            .OrderBy(a => a.Safety),
    ];

    /// <summary>The metric of unsafe prompts.</summary>
    public IReadOnlyList<StudyMetric> HarmMetrics =>
        [.. Results.Recipe.Metrics.Where(m => m.Measure == Measure.Complies)];

    /// <summary>Arms that differ only in the wording of their demonstrations, by dose.</summary>
    public IReadOnlyList<IReadOnlyList<ArmResult>> FormatArms =>
    [
        .. Results.Arms.Where(a => !a.Arm.Untrained && a.Safety > 0)
            .GroupBy(a => a.Arm with { Name = "", Format = default })
            .Where(same => same.Count() > 1)
            .OrderBy(same => same.First().Safety)
            .Select(same => same.OrderBy(a => a.Arm.Format).ToList()),
    ];

    /// <summary>Up to <see cref="Shown"/> items, evenly spread over all.</summary>
    private static IEnumerable<T> Spread<T>(IReadOnlyList<T> items)
    {
        var count = Math.Min(Shown, items.Count);
        return Enumerable.Range(0, count).Select(i => items[i * items.Count / count]);
    }
}

/// <summary>One prompt and what each arm answered.</summary>
public sealed record Transcript(StudyPrompt Prompt, IReadOnlyList<(string Arm, GradedAnswer Answer)> Answers)
{
    /// <summary>Whether an arm behaved differently from the first.</summary>
    public bool Changes => Answers.Any(a => a.Answer.Refuses != Answers[0].Answer.Refuses);
}
