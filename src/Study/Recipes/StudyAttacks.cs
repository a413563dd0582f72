using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>Attacks on prompts, made on every arm once all arms are trained and asked.</summary>
/// <remarks>
/// The answers under an attack are those to prompts of a suite named <c>attack-TRIAL</c>, and each trial is a metric of
/// that name: so every claim and table treats them as it treats others.
/// </remarks>
public sealed record StudyAttacks
{
    /// <summary>What is tried, as <c>attack</c> takes it: <c>prefill=1/5/10</c>.</summary>
    public required IReadOnlyList<string> Trials { get; init; }

    /// <summary>The suites attacked; their unsafe prompts are.</summary>
    public required IReadOnlyList<string> Suites { get; init; }

    /// <summary>The arm whose answers a prefilled beginning and examples are taken from.</summary>
    public required string AnswersFrom { get; init; }

    /// <summary>The most prompts attacked, drawn by the seed; 0 for all.</summary>
    public int MaxPrompts { get; init; }

    /// <summary>Every trial's name, in order.</summary>
    internal IReadOnlyList<string> Names() =>
    [
        .. Trials.Select(text => AttackList.Parse(text, AttackList.Defaults))
            .SelectMany(t => t.Settings.Select(setting => AttackTrialEntry.NameOf(t.Attack, setting))),
    ];

    /// <summary>What all trials ask of one replicate, without what they put around a prompt.</summary>
    /// <param name="prompts">All of the study's.</param>
    public IReadOnlyList<StudyPrompt> Asked(IReadOnlyList<StudyPrompt> prompts)
    {
        var attacked = prompts.Where(p => Suites.Contains(p.Suite) && p.Label == PromptLabel.Unsafe).ToList();
        var some = MaxPrompts > 0 ? attacked.Take(MaxPrompts) : attacked;
        return [.. Names().SelectMany(_ => some)];
    }

    /// <summary>The trials themselves.</summary>
    /// <param name="answers">The identity of the answers that they take from.</param>
    internal IReadOnlyList<IAttackTrial> Make(string answers) =>
    [
        .. Trials.Select(text => AttackList.Parse(text, AttackList.Defaults))
            .SelectMany(t => AttackList.Trials(t.Attack, t.Settings, [], answers)),
    ];

    /// <summary>One metric for each trial.</summary>
    internal IEnumerable<StudyMetric> Metrics() => Names().Select(name => new StudyMetric
    {
        Name = "attack-" + name,
        Title = $"Harmful compliance under {name}",
        Measure = Measure.Complies,
        Suites = ["attack-" + name],
        LowerIsBetter = true,
    });

    /// <summary>One sentence for each error.</summary>
    internal IEnumerable<string> Problems(StudyRecipe recipe)
    {
        if (recipe.Arms.All(a => a.Name != AnswersFrom))
        {
            yield return $"attacks.answers_from: there is no arm \"{AnswersFrom}\".";
        }

        if (Suites.Count == 0)
        {
            yield return "attacks.suites is empty, expected one suite at least.";
        }

        if (MaxPrompts < 0)
        {
            yield return $"attacks.max_prompts is {MaxPrompts}, expected 0 or more.";
        }

        if (Fault() is { } fault)
        {
            yield return $"attacks.trials: {fault}";
        }
    }

    private string? Fault()
    {
        try
        {
            return Make("").Count == 0 ? "nothing is tried." : null;
        }
        catch (SafeLlamaException e)
        {
            return e.MessageFor(name => name.ToLowerInvariant());
        }
    }
}
