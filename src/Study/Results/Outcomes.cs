using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>One graded answer.</summary>
/// <param name="Prompt">The prompt.</param>
/// <param name="Answer">What the model said: untrusted text.</param>
/// <param name="Complies">It does what was asked.</param>
/// <param name="Verdict">Compliance, full or partial refusal, or no answer at all.</param>
/// <param name="Exact">It is the right answer; null where none is known.</param>
public sealed record GradedAnswer(StudyPrompt Prompt, string Answer, bool Complies, Behavior Verdict, bool? Exact)
{
    public bool Refuses => Verdict is Behavior.FullRefusal or Behavior.PartialRefusal;

    /// <summary>1 where the answer is counted by this measure, else 0.</summary>
    public double Score(Measure measure) => measure switch
    {
        Measure.Complies => Complies ? 1 : 0,
        Measure.Refuses => Refuses ? 1 : 0,
        _ => Exact == true ? 1 : 0,
    };
}

/// <summary>One trained arm of one base model and one seed: a replicate.</summary>
/// <param name="Arm">The arm's name.</param>
/// <param name="Model">The base model.</param>
/// <param name="Seed">The tuning seed.</param>
public sealed record Replicate(string Arm, string Model, long Seed)
{
    /// <summary>Its folder, below the study's.</summary>
    public string Folder =>
        Path.Combine("arms", FileName(Arm), $"{FileName(Path.GetFileName(Model.TrimEnd('/')))}-seed{Seed}");

    private static string FileName(string text) =>
        string.Concat(text.Select(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '-'));
}

/// <summary>The graded answers of every replicate: what all tables and claims are computed from.</summary>
public sealed class Outcomes(IReadOnlyList<(Replicate Replicate, IReadOnlyList<GradedAnswer> Answers)> runs)
{
    public IReadOnlyList<(Replicate Replicate, IReadOnlyList<GradedAnswer> Answers)> Runs => runs;

    /// <summary>The scores of one arm: for each prompt one value per replicate, in the order of models and
    /// seeds.</summary>
    public IReadOnlyList<PromptScores> Scores(string arm, StudyMetric metric)
    {
        var models = Models(arm);
        return
        [
            .. runs.Where(run => run.Replicate.Arm == arm)
                .SelectMany(run => run.Answers.Where(a => metric.Asks(a.Prompt)))
                .GroupBy(a => a.Prompt.Id, (_, answers) => answers.ToList())
                .Select(answers => new PromptScores(
                    answers[0].Prompt, [.. answers.Select(a => a.Score(metric.Measure))], models)),
        ];
    }

    /// <summary>How many base models an arm was tuned on.</summary>
    public int Models(string arm) =>
        runs.Where(run => run.Replicate.Arm == arm).Select(run => run.Replicate.Model).Distinct().Count();

    /// <summary>The metric's value in each replicate of an arm.</summary>
    public IReadOnlyList<double> PerReplicate(string arm, StudyMetric metric) =>
    [
        .. runs.Where(run => run.Replicate.Arm == arm)
            .Select(run => run.Answers.Where(a => metric.Asks(a.Prompt)).Select(a => a.Score(metric.Measure)))
            .Where(scores => scores.Any())
            .Select(scores => scores.Average()),
    ];
}

/// <summary>A prompt and its score in each replicate.</summary>
/// <param name="Prompt">The prompt.</param>
/// <param name="Values">Models × seeds: every seed of the first model, then of the next.</param>
/// <param name="Models">How many base models the values are of.</param>
public sealed record PromptScores(StudyPrompt Prompt, IReadOnlyList<double> Values, int Models = 1)
{
    public double Mean => Values.Average();
}
