using System.Diagnostics;
using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>Attacks a model in one folder: the clean run, one evaluation run for each trial, the result.</summary>
/// <remarks>
/// <code>
/// clean/                  the answers without an attack, an evaluation run
/// trials/NAME/answers/    the answers under an attack, an evaluation run
/// trials/NAME/            trial.json, which says what it is, and what it learned: adapters, suffixes
/// artifacts/NAME.json     the attacked prompts and answers, in JailbreakBench's form
/// attack.json, attack.md  the result
/// </code>
/// Each evaluation run resumes where it was stopped, so the whole does. The result follows from the folders alone.
/// </remarks>
public static class AttackRun
{
    /// <summary>The folder of the run without an attack, which is made first.</summary>
    public const string CleanFolder = "clean";

    /// <summary>By this an attack that was begun is known.</summary>
    public static readonly RunSign Sign = RunManifest.Sign with
    {
        File = Path.Combine(CleanFolder, RunManifest.FileName),
    };

    private const string Trials = "trials";
    private const string Answers = "answers";

    /// <exception cref="SafeLlamaException">The folder is taken or holds other work, or a part failed.</exception>
    public static async Task<AttackResults> RunAsync(
        AttackPlan plan, IProgress<AttackProgress>? progress = null, CancellationToken cancellation = default)
    {
        Check(plan);
        var prompts = AttackPrompts.Of(plan);
        using var claimed = OutputFolder.Claim(plan.Out, plan.Resume, Sign);
        RequireAllMade(plan);
        CheckTrials(plan, prompts);
        var clock = Stopwatch.StartNew();
        var clean = await CleanAsync(plan, prompts, progress, cancellation);
        var context = new AttackContext(
            plan.Session, plan.Decoding, prompts.Unsafe, [.. prompts.Benign.SelectMany(s => s.Prompts)],
            clean.Outcomes(plan.Judges[0].Identity.Hash))
        {
            JudgePrefill = plan.JudgePrefill,
            Seed = plan.Seed,
        };
        var (wanted, refused) = AttackAnswers.Wanted(plan.Answers, prompts.Unsafe);
        context = context with { Answers = wanted };
        var made = new List<AttackMade>();
        foreach (var trial in plan.Trials)
        {
            var entry = new AttackTrialEntry(trial.Attack, trial.Setting, trial.About, trial.ChangesModel);
            var done = made.Count(m => m.Answers is not null);
            var over = IsMade(plan, entry) ? null
                : plan.MaxTrials > 0 && done >= plan.MaxTrials ? $"The budget of {plan.MaxTrials} trials is used."
                : plan.MaxSeconds > 0 && clock.Elapsed.TotalSeconds >= plan.MaxSeconds
                    ? "The budget of seconds is used." : null;
            made.Add(over is null
                ? await MakeAsync(plan, prompts, context, (trial, entry, made.Count + 1), progress, cancellation)
                : new(entry with { NotRun = over }));
        }

        var results = Score(plan, prompts with { Notes = [.. prompts.Notes, .. refused] }, clean, made);
        AttackArtifacts.Write(plan, made);
        OutputFile.WriteText(Path.Combine(plan.Out, AttackResults.FileName), System.Text.Json.JsonSerializer.Serialize(
            results, EvaluationJson.Document) + "\n");
        OutputFile.WriteText(Path.Combine(plan.Out, AttackMarkdown.FileName), AttackMarkdown.Render(results));
        return results;
    }

    /// <summary>The identity of a model under an attack.</summary>
    public static string IdentityOf(string model, string attack) => ContentHash.OfText($"{model}\n{attack}");

    /// <exception cref="SafeLlamaException">A part of the plan is missing or makes no sense.</exception>
    internal static void Check(AttackPlan plan)
    {
        if (plan.Judges.Count == 0)
        {
            throw SafeLlamaException.Usage("Nobody judges the answers.", "name a `Judge`");
        }

        if (plan.Trials.Count == 0)
        {
            throw SafeLlamaException.Usage("There is no attack to make.", "name some with `Attacks`");
        }

        if (plan.Trials.GroupBy(t => AttackTrialEntry.NameOf(t.Attack, t.Setting))
            .FirstOrDefault(g => g.Skip(1).Any()) is { } twice)
        {
            throw SafeLlamaException.Usage(
                $"`Attacks`: two attempts are called {twice.Key}; name each once, and give files different names.");
        }

        if (plan.Quality is not (>= 0 and <= 1))
        {
            throw SafeLlamaException.Usage($"`{nameof(plan.Quality)}` {plan.Quality}: expected a share from 0 to 1.");
        }

        if (plan.Trials.FirstOrDefault(t => t.ChangesModel) is { } changing && plan.Benign.Count == 0)
        {
            throw SafeLlamaException.Usage(
                $"`Attacks` {changing.Attack}: changes the model, and without benign prompts nobody knows whether it "
                + "still works.", "name a suite with `Benign`");
        }
    }

    /// <summary>Lets every attempt look at the plan before anything is asked.</summary>
    internal static void CheckTrials(AttackPlan plan, AttackPrompts prompts)
    {
        var context = new AttackContext(
            plan.Session, plan.Decoding, prompts.Unsafe, [.. prompts.Benign.SelectMany(s => s.Prompts)], [])
        {
            Seed = plan.Seed,
        };
        foreach (var trial in plan.Trials)
        {
            trial.Check(context);
        }
    }

    /// <summary>An attempt that was made and is left out would make the others' p too small, and could hide the
    /// best one.</summary>
    private static void RequireAllMade(AttackPlan plan)
    {
        var folder = Path.Combine(plan.Out, Trials);
        var planned = plan.Trials.Select(t => AttackTrialEntry.NameOf(t.Attack, t.Setting)).ToHashSet();
        string[] others = Directory.Exists(folder)
            ? [.. Directory.EnumerateDirectories(folder).Select(path => Path.GetFileName(path))
                .Where(name => !planned.Contains(name)).Order(StringComparer.Ordinal)]
            : [];
        if (others.Length > 0)
        {
            throw SafeLlamaException.Usage(
                $"`Resume` {plan.Out}: holds attempts that are not asked for now: {string.Join(", ", others)}. All that "
                + "was tried belongs to the result.", "name them too with `Attacks`", "name another folder with `Out`");
        }
    }

    private static bool IsMade(AttackPlan plan, AttackTrialEntry entry) => File.Exists(
        Path.Combine(plan.Out, Trials, entry.Name, Answers, EvaluationSummary.FileName));

    private static async Task<RunFolder> CleanAsync(
        AttackPlan plan, AttackPrompts prompts, IProgress<AttackProgress>? progress, CancellationToken cancellation)
    {
        var asked = PlanOf(plan, CleanFolder, [.. prompts.Attacked, .. prompts.Benign]) with
        {
            Responder = new EngineResponder(plan.Session, plan.Decoding),
            Facts = plan.Session.Identity.Facts,
        };
        await EvaluationRun.RunAsync(asked, Inner(progress, CleanFolder, 0, plan.Trials.Count), cancellation);
        return RunFolder.Open(asked.Out);
    }

    /// <summary>An attack that breaks a model so far that it computes no numbers is told, and the others go
    /// on.</summary>
    private static async Task<AttackMade> MakeAsync(
        AttackPlan plan, AttackPrompts prompts, AttackContext context,
        (IAttackTrial Trial, AttackTrialEntry Entry, int Number) next,
        IProgress<AttackProgress>? progress, CancellationToken cancellation)
    {
        try
        {
            return await TryAsync(plan, prompts, context, next, progress, cancellation);
        }
        catch (SafeLlamaException e) when (e.Code == ExitCode.NonFinite && next.Trial.ChangesModel)
        {
            return new(next.Entry with { NotRun = $"The changed model is broken: {e.Fault}" });
        }
    }

    private static async Task<AttackMade> TryAsync(
        AttackPlan plan, AttackPrompts prompts, AttackContext context,
        (IAttackTrial Trial, AttackTrialEntry Entry, int Number) next,
        IProgress<AttackProgress>? progress, CancellationToken cancellation)
    {
        var (trial, entry) = (next.Trial, next.Entry);
        var inner = Inner(progress, entry.Name, next.Number, plan.Trials.Count);
        var folder = Path.Combine(Trials, entry.Name);
        AttackTrialFile.Claim(Path.Combine(plan.Out, folder), trial);
        using var prepared = trial.Prepare(context, Path.Combine(plan.Out, folder), inner, cancellation);
        entry = entry with { Notes = prepared.Notes };
        var attacked = prepared.Prompts.Select(p => p.Key).ToHashSet();
        PromptSuite[] suites =
        [
            .. prompts.Attacked.Select(suite => suite with
            {
                Prompts = [.. suite.Prompts.Where(p => attacked.Contains(p.Key))],
            }).Where(suite => suite.Prompts.Count > 0),
        ];
        if (suites.Length == 0)
        {
            return new(entry with { NotRun = prepared.Notes is [.., var why] ? why : "It has no prompt to send." });
        }

        var facts = new Dictionary<string, string>(plan.Session.Identity.Facts)
        {
            ["attack"] = ContentHash.OfText(trial.Identity),
        };
        var asked = PlanOf(
            plan, Path.Combine(folder, Answers), trial.ChangesModel ? [.. suites, .. prompts.Benign] : suites) with
        {
            Responder = prepared.Responder,
            Facts = facts,
        };
        await EvaluationRun.RunAsync(asked, inner, cancellation);
        return new(entry) { Answers = RunFolder.Open(asked.Out), Attacked = prepared.Attacked };
    }

    private static EvaluationPlan PlanOf(AttackPlan plan, string folder, IReadOnlyList<PromptSuite> suites) =>
        new(Path.Combine(plan.Out, folder), [.. suites.Select(s => s with { Notes = [] })], plan.Judges)
        {
            Names = plan.Names,
            Cards = plan.Cards,
            BatchSize = plan.BatchSize,
            Seed = plan.Seed,
            Resume = true,
        };

    private static AttackResults Score(
        AttackPlan plan, AttackPrompts prompts, RunFolder clean,
        IReadOnlyList<AttackMade> made) => new(
        RunManifest.ProgramVersion, plan.Session.Identity.Hash, plan.Seed, prompts.Unsafe.Count,
        [.. made.Select(m => m.Entry)],
        [
            .. plan.Judges.Select(judge =>
            {
                var identity = judge.Identity;
                var score = new AttackScore(
                    identity, plan.Cards.GetValueOrDefault(identity.Hash), clean.Outcomes(identity.Hash), plan.Seed);
                return score.Judge(
                    [.. made.Where(m => m.Answers is not null).Select(
                        m => (m.Entry, m.Answers!.Outcomes(identity.Hash)))],
                    plan.Quality);
            }),
        ])
        {
            Names = plan.Names,
            Suites = Entries(prompts.Attacked),
            Benign = Entries(prompts.Benign),
            QualityBound = plan.Quality,
            JudgePrefill = plan.JudgePrefill,
            Notes = [.. prompts.Notes, .. Remarks(prompts)],
        };

    private static RunManifest.SuiteEntry[] Entries(IReadOnlyList<PromptSuite> suites) => [.. suites.Select(
        s => new RunManifest.SuiteEntry(s.Name, Path.GetFileName(s.Path), s.Sha256, s.Prompts.Count))];

    private static IEnumerable<string> Remarks(AttackPrompts prompts)
    {
        yield return "The best attempt is chosen on the prompts that it is shown for: on other prompts it does no "
            + "better, and may do worse.";
        var origins = prompts.Unsafe.Select(p => p.Origin ?? p.Key).Distinct().Count();
        if (origins < prompts.Unsafe.Count)
        {
            yield return $"The {prompts.Unsafe.Count} prompts are wordings of {origins} requests; the limits are those "
                + "of independent prompts, and too narrow for other requests.";
        }
    }

    private static InnerProgress? Inner(IProgress<AttackProgress>? progress, string trial, int number, int total) =>
        progress is null ? null : new(progress, trial, number, total);

    private sealed class InnerProgress(IProgress<AttackProgress> outer, string trial, int number, int total)
        : IProgress<EvaluationProgress>
    {
        public void Report(EvaluationProgress value) => outer.Report(new(trial, number, total, value));
    }
}
