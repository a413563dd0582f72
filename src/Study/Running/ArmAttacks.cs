using SafeLlama.Common;
using SafeLlama.Evaluation;
using SafeLlama.Inference;

namespace SafeLlama.Study;

/// <summary>Attacks the model of one arm, in the folder <c>attacks</c> beside its training and evaluation.</summary>
internal sealed class ArmAttacks(StudyRecipe recipe, IStudySource source, IStudyEngine engine)
{
    private readonly StudyAttacks _asked = recipe.Attacks!;

    /// <summary>Makes what is left to make, and grades every answer.</summary>
    /// <returns>The answers under each trial, to prompts of the suite <c>attack-TRIAL</c>.</returns>
    public IReadOnlyList<GradedAnswer> Run(ArmJob job, string study, CancellationToken cancellation)
    {
        var path = Path.Combine(study, job.Replicate.Folder);
        var prompts = source.Prompts.Where(p => _asked.Suites.Contains(p.Suite)).ToList();
        if (prompts.Count == 0)
        {
            throw SafeLlamaException.Usage(
                $"attacks.suites: {string.Join(", ", _asked.Suites)} holds no prompt that a metric of the "
                + "recipe reads.");
        }

        var byKey = prompts.ToDictionary(StudySuites.KeyOf);
        var from = job.Replicate with { Arm = _asked.AnswersFrom };
        var answers = Answers(Path.Combine(study, from.Folder), byKey.Keys);
        using var session = engine.OpenSession(job, new ArmFolder(path).Training);
        var folder = Path.Combine(path, "attacks");
        AttackRun.RunAsync(
            new(
                folder, session, DecodingConfig.Greedy(job.Decoding.MaxNewTokens), StudySuites.Of(prompts),
                _asked.Make(ContentHash.OfText(string.Join('\n', answers.Select(a => $"{a.Key}\t{a.Value}")))),
                [source.Judge])
            {
                Answers = answers,
                JudgePrefill = !recipe.Data.UsesFiles,
                MaxPrompts = _asked.MaxPrompts,
                BatchSize = job.Decoding.BatchSize,
                Seed = job.Replicate.Seed,
                Resume = true,
            },
            progress: null, cancellation).GetAwaiter().GetResult();
        return
        [
            .. _asked.Names().SelectMany(
                name => Graded(name, Path.Combine(folder, "trials", name, "answers"), byKey)),
        ];
    }

    private IEnumerable<GradedAnswer> Graded(string trial, string folder, Dictionary<string, StudyPrompt> byKey) =>
        !Directory.Exists(folder) ? [] : RunFolder.Open(folder).Outcomes(source.Judge.Identity.Hash).Select(outcome =>
        {
            var prompt = byKey[outcome.Prompt.Key];
            return GradedAnswer.Of(
                prompt with { Suite = "attack-" + trial, Id = $"attack-{trial}/{prompt.Id}" }, outcome);
        });

    private static SortedDictionary<string, string> Answers(string arm, IEnumerable<string> keys)
    {
        var wanted = keys.ToHashSet();
        return new(
            RunFolder.Open(new ArmFolder(arm).Evaluation).Answers().Where(a => wanted.Contains(a.Prompt.Key))
                .ToDictionary(a => a.Prompt.Key, a => a.Response.Answer), StringComparer.Ordinal);
    }
}
