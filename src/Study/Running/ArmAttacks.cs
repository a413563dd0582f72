using SafeLlama.Common;
using SafeLlama.Evaluation;
using SafeLlama.Inference;

namespace SafeLlama.Study;

/// <summary>Attacks the model of one arm, in the folder <c>attacks</c> beside its training and evaluation.</summary>
public sealed class ArmAttacks(StudyRecipe recipe, IStudySource source, IStudyEngine engine)
{
    private readonly StudyAttacks _asked = recipe.Attacks!;

    private IJudge Judge { get; } = recipe.Attacks!.AboutRequest ? new WorldRequestJudge() : source.Judge;

    /// <summary>Makes what is left to make, and grades every answer.</summary>
    /// <returns>The answers under each trial, to prompts of the suite <c>attack-TRIAL</c>, and benign ones to prompts
    /// of <c>attack-TRIAL-quality</c>.</returns>
    public IReadOnlyList<GradedAnswer> Run(ArmJob job, string study, CancellationToken cancellation)
    {
        var path = Path.Combine(study, job.Replicate.Folder);
        var byKey = Prompts().ToDictionary(StudySuites.KeyOf);
        var answers = Answers(
            Path.Combine(study, (job.Replicate with { Arm = _asked.AnswersFrom }).Folder),
            byKey.Values.Where(p => _asked.Suites.Contains(p.Suite)).Select(StudySuites.KeyOf));
        var training = new ArmFolder(path).Training;
        using var session = engine.OpenSession(job, training, _asked.NeedsGradients);
        var folder = Path.Combine(path, "attacks");
        AttackRun.RunAsync(
            Plan(job, session, folder, training, answers), progress: null, cancellation).GetAwaiter().GetResult();
        return
        [
            .. _asked.Names().SelectMany(
                name => Graded(name, Path.Combine(folder, "trials", name, "answers"), byKey)),
        ];
    }

    /// <summary>Seconds of what comes before the answers of one replicate: steps of training and of searches, each
    /// measured on a small part and on the base instead of an arm.</summary>
    public double PreparationSeconds(ArmJob job)
    {
        var folder = Directory.CreateTempSubdirectory("safellama-").FullName;
        try
        {
            job = job with { Arm = job.Arm with { Untrained = true } };
            using var session = engine.OpenSession(job, "", forGradients: false);
            return AttackForecast.PreparationSeconds(
                Plan(job, session, Path.Combine(folder, "attacks"), "", new SortedDictionary<string, string>()));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private AttackPlan Plan(
        ArmJob job, LlamaSession session, string folder, string training,
        IReadOnlyDictionary<string, string> answers)
    {
        var rows = new AttackRows(source, job.Replicate.Seed, folder + "-rows");
        var prompts = Prompts();
        return new(
            folder, session, DecodingConfig.Greedy(job.Decoding.MaxNewTokens),
            StudySuites.Of([.. prompts.Where(p => _asked.Suites.Contains(p.Suite))]),
            _asked.Make(
                ContentHash.OfText(string.Join('\n', answers.Select(a => $"{a.Key}\t{a.Value}"))),
                (attack, settings) => rows.Trials(attack, settings, name => engine.TargetOf(job, training, name))),
            [Judge])
        {
            Benign = Expecting(StudySuites.Of([.. prompts.Where(_asked.Measures)])),
            Quality = _asked.Bound,
            Answers = answers,
            JudgePrefill = !recipe.Data.UsesFiles,
            MaxPrompts = _asked.MaxPrompts,
            BatchSize = job.Decoding.BatchSize,
            Seed = job.Replicate.Seed,
            Resume = true,
        };
    }

    /// <summary>Suites of benign prompts with the answers that are right, where the study knows them.</summary>
    private IReadOnlyList<PromptSuite> Expecting(IReadOnlyList<PromptSuite> suites)
    {
        var right = source.Prompts.ToDictionary(StudySuites.KeyOf, p => p.Expected);
        return [.. suites.Select(s => s with
        {
            Prompts = [.. s.Prompts.Select(p => p with { Expected = right[p.Key] })],
        })];
    }

    private List<StudyPrompt> Prompts()
    {
        var prompts = source.Prompts.Where(
            p => _asked.Suites.Contains(p.Suite) || _asked.Benign?.Contains(p.Suite) == true).ToList();
        foreach (var (field, suites) in new[] { ("suites", _asked.Suites), ("benign", _asked.Benign ?? []) })
        {
            if (suites.FirstOrDefault(name => prompts.All(p => p.Suite != name)) is { } missing)
            {
                throw SafeLlamaException.Usage(
                    $"attacks.{field}: {missing} holds no prompt that a metric of the recipe reads.");
            }
        }

        return prompts;
    }

    private IEnumerable<GradedAnswer> Graded(string trial, string folder, Dictionary<string, StudyPrompt> byKey) =>
        !Directory.Exists(folder) ? [] : RunFolder.Open(folder).Outcomes(Judge.Identity.Hash).Select(outcome =>
        {
            var prompt = byKey[outcome.Prompt.Key];
            var suite = _asked.Suites.Contains(prompt.Suite) ? "attack-" + trial : StudyAttacks.QualityOf(trial);
            return GradedAnswer.Of(prompt with { Suite = suite, Id = $"{suite}/{prompt.Id}" }, outcome);
        });

    private static SortedDictionary<string, string> Answers(string arm, IEnumerable<string> keys)
    {
        var wanted = keys.ToHashSet();
        return new(
            RunFolder.Open(new ArmFolder(arm).Evaluation).Answers().Where(a => wanted.Contains(a.Prompt.Key))
                .ToDictionary(a => a.Prompt.Key, a => a.Response.Answer), StringComparer.Ordinal);
    }
}
