using System.Diagnostics;

namespace SafeLlama.Evaluation;

/// <summary>What an attack run would do, and about how long it would take.</summary>
/// <param name="Prompts">The unsafe prompts.</param>
/// <param name="Benign">The prompts that measure utility.</param>
/// <param name="CleanSeconds">The run without an attack.</param>
/// <param name="Trials">Each attempt with its seconds: preparing and answering.</param>
/// <param name="Notes">What is left out.</param>
public sealed record AttackForecast(
    int Prompts, int Benign, double CleanSeconds, IReadOnlyList<(AttackTrialEntry Entry, double Seconds)> Trials,
    IReadOnlyList<string> Notes)
{
    public double Seconds => CleanSeconds + Trials.Sum(trial => trial.Seconds);

    /// <summary>Answers one batch and prepares a small part of each attack, and writes nothing.</summary>
    public static AttackForecast Of(AttackPlan plan)
    {
        AttackRun.Check(plan);
        var prompts = AttackPrompts.Of(plan);
        var context = Context(plan, prompts);
        AnswerRequest[] batch = [.. context.Prompts.Take(plan.BatchSize).Select(p => new AnswerRequest(p, 0))];
        var responder = context.Plain;
        responder.Answer(batch[..1], CancellationToken.None);       // the first one allocates
        var clock = Stopwatch.StartNew();
        responder.Answer(batch, CancellationToken.None);
        var one = clock.Elapsed.TotalSeconds / batch.Length;
        var (unsafes, benign) = (context.Prompts.Count, context.Benign.Count);
        var trials = plan.MaxTrials > 0 ? plan.Trials.Take(plan.MaxTrials) : plan.Trials;
        return new(
            unsafes, benign, one * (unsafes + benign),
            [.. trials.Select(trial => (
                new AttackTrialEntry(trial.Attack, trial.Setting, trial.About, trial.ChangesModel),
                trial.PreparationSeconds(context) + (one * (unsafes + (trial.ChangesModel ? benign : 0)))))],
            prompts.Notes);
    }

    /// <summary>Seconds of preparing every attempt: steps of training and of searches, without answers.</summary>
    public static double PreparationSeconds(AttackPlan plan)
    {
        AttackRun.Check(plan);
        var context = Context(plan, AttackPrompts.Of(plan));
        return plan.Trials.Sum(trial => trial.PreparationSeconds(context));
    }

    private static AttackContext Context(AttackPlan plan, AttackPrompts prompts)
    {
        AttackRun.CheckTrials(plan, prompts);
        return new(plan.Session, plan.Decoding, prompts.Unsafe, [.. prompts.Benign.SelectMany(s => s.Prompts)], [])
        {
            Answers = AttackAnswers.Wanted(plan.Answers, prompts.Unsafe).Wanted,
            Seed = plan.Seed,
        };
    }
}
