using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>
/// One replicate's folder: its plan, its fine-tuning run, its evaluation run. Each file appears whole or not at all.
/// </summary>
/// <remarks>
/// <code>
/// plan.json                what the replicate is; a folder with another plan is refused
/// training/, training.json the fine-tuning run's own files; what it left behind
/// evaluation/              an evaluation run over the study's suites, as `evaluate` writes it
/// attacks/, attacks-rows/  where the study attacks its arms: an attack run, and what its attacks learn from
/// </code>
/// </remarks>
public sealed class ArmFolder(string path)
{
    /// <summary>Begins the name of every fact about rows and prompts.</summary>
    internal const string DataPrefix = "data.";

    private readonly string _plan = Path.Combine(path, "plan.json");

    private readonly string _training = Path.Combine(path, "training.json");

    public string Training => Path.Combine(path, "training");

    public string Evaluation => Path.Combine(path, "evaluation");

    /// <summary>Whether it was created for a job.</summary>
    public bool IsClaimed => File.Exists(_plan);

    /// <summary>Creates the folder, or checks that it was created for this job on this base.</summary>
    /// <param name="model">Hashes of the base.</param>
    /// <exception cref="SafeLlamaException">It was created for another job; the error names the difference.</exception>
    public void Claim(ArmJob job, IReadOnlyDictionary<string, string> model)
    {
        Directory.CreateDirectory(path);
        MustBeOf(job, model);
        if (!IsClaimed)
        {
            OutputFile.WriteText(_plan, ArmPlan.Of(job, model).ToJson());
        }
    }

    /// <summary>Refuses a folder that was created for another job; one that was not created yet fits any.</summary>
    /// <inheritdoc cref="Claim"/>
    public void MustBeOf(ArmJob job, IReadOnlyDictionary<string, string> model)
    {
        if (IsClaimed)
        {
            ArmPlan.Of(job, model).MustEqual(File.ReadAllText(_plan), _plan);
        }
    }

    /// <summary>Refuses answers to other prompts; an arm that was not asked yet fits any.</summary>
    /// <param name="data">What the prompts are: the study's draw, seeds, hashes of files, by name.</param>
    /// <exception cref="SafeLlamaException">The answers are to other prompts; the first fact is named.</exception>
    public void MustBeAskedOf(IReadOnlyDictionary<string, string> data)
    {
        if (!File.Exists(Path.Combine(Evaluation, RunManifest.FileName)))
        {
            return;
        }

        var begun = RunManifest.Read(Evaluation).Facts;
        var names = data.Keys.Union(begun.Keys.Where(name => name.StartsWith(DataPrefix, StringComparison.Ordinal)));
        foreach (var name in names.Order(StringComparer.Ordinal))
        {
            var (was, value) = (begun.GetValueOrDefault(name, "not kept"), data.GetValueOrDefault(name, "gone"));
            if (was != value)
            {
                throw SafeLlamaException.Usage(
                    $"`Resume` {Evaluation}: {name} was {was} and is {value} now. Go on as the study was begun, or "
                    + "name another folder.");
            }
        }
    }

    /// <summary>The summary of training; null where it is not finished.</summary>
    /// <exception cref="SafeLlamaException">The file was changed.</exception>
    public TrainingSummary? ReadTraining()
    {
        if (!File.Exists(_training))
        {
            return null;
        }

        return JsonRecord.Parse<TrainingSummary>(
            File.ReadAllBytes(_training), _training, "was changed since it was written", StudyJson.Document,
            then: "Delete it to have it made again.");
    }

    public void WriteTraining(TrainingSummary summary) =>
        OutputFile.WriteText(_training, JsonSerializer.Serialize(summary, StudyJson.Document) + "\n");

    /// <summary>Evaluates the arm's model, resuming what the folder holds, and grades every answer.</summary>
    /// <param name="prompts">The study's prompts.</param>
    /// <returns>In the order of the suites.</returns>
    /// <exception cref="SafeLlamaException">
    /// The folder's answers were made by another model, other prompts or another decoding; what differs is named.
    /// </exception>
    public IReadOnlyList<GradedAnswer> Evaluate(
        EvaluationPlan plan, IReadOnlyList<StudyPrompt> prompts, IProgress<EvaluationProgress>? progress,
        CancellationToken cancellation)
    {
        EvaluationRun.RunAsync(plan with { Out = Evaluation, Resume = true }, progress, cancellation)
            .GetAwaiter().GetResult();
        var byKey = prompts.ToDictionary(StudySuites.KeyOf);
        var run = RunFolder.Open(Evaluation);
        var harm = plan.Judges.Select(j => j.Identity).Where(HarmfulnessJudge.Is).ToDictionary(
            identity => identity.Name,
            identity => run.Outcomes(identity.Hash).ToDictionary(o => o.Prompt.Key, o => o.Verdict.Unsafe));
        return
        [
            .. run.Outcomes(plan.Judges[0].Identity.Hash)
                .Select(outcome => GradedAnswer.Of(byKey[outcome.Prompt.Key], outcome) with
                {
                    Harmful = harm.ToDictionary(j => j.Key, j => j.Value.GetValueOrDefault(outcome.Prompt.Key)),
                }),
        ];
    }
}
