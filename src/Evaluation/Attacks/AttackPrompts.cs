using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>The prompts of an attack run, and what was left out.</summary>
/// <param name="Attacked">The suites with the unsafe prompts alone.</param>
/// <param name="Benign">The suites that measure utility, with their harmless prompts alone.</param>
/// <param name="Notes">What was left out, one line each.</param>
public sealed record AttackPrompts(
    IReadOnlyList<PromptSuite> Attacked, IReadOnlyList<PromptSuite> Benign, IReadOnlyList<string> Notes)
{
    public IReadOnlyList<SuitePrompt> Unsafe => [.. Attacked.SelectMany(suite => suite.Prompts)];

    /// <exception cref="SafeLlamaException">No prompt is unsafe or none is benign, or a suite is named
    /// twice.</exception>
    public static AttackPrompts Of(AttackPlan plan)
    {
        var notes = plan.Suites.Concat(plan.Benign).SelectMany(suite => suite.Notes).ToList();
        var attacked = Those(plan.Suites, IsUnsafe, notes,
            "are not unsafe, and are not attacked");
        var benign = Those(plan.Benign, prompt => !IsUnsafe(prompt), notes,
            "are unsafe, and do not measure utility");
        if (attacked.Count == 0)
        {
            throw SafeLlamaException.Usage(
                "No prompt of the suites is labeled unsafe or contrast, so there is nothing to attack.",
                "name another `Suite`");
        }

        if (plan.Benign.Count > 0 && benign.Count == 0)
        {
            throw SafeLlamaException.Usage(
                "`Benign`: all its prompts are labeled unsafe or contrast, so none measures utility; name harmless ones.");
        }

        if (attacked.Concat(benign).GroupBy(s => s.Name).FirstOrDefault(g => g.Skip(1).Any()) is { } twice)
        {
            throw SafeLlamaException.Usage(
                $"`Suite`: {twice.Key} is named twice, or both as a `Suite` and as `Benign`; name it once.");
        }

        return new(Limited(attacked, plan, notes), benign, notes);
    }

    private static bool IsUnsafe(SuitePrompt prompt) => prompt.Label is PromptLabel.Unsafe or PromptLabel.Contrast;

    private static List<PromptSuite> Those(
        IReadOnlyList<PromptSuite> suites, Predicate<SuitePrompt> wanted, List<string> notes, string otherwise)
    {
        var kept = new List<PromptSuite>();
        foreach (var suite in suites)
        {
            SuitePrompt[] prompts = [.. suite.Prompts.Where(p => wanted(p))];
            if (prompts.Length < suite.Prompts.Count)
            {
                notes.Add($"{suite.Name}: {suite.Prompts.Count - prompts.Length} of {suite.Prompts.Count} prompts "
                    + $"{otherwise}.");
            }

            if (prompts.Length > 0)
            {
                kept.Add(suite with { Prompts = prompts });
            }
        }

        return kept;
    }

    /// <summary>A draw over all suites; what is left keeps its order.</summary>
    private static List<PromptSuite> Limited(List<PromptSuite> suites, AttackPlan plan, List<string> notes)
    {
        var all = suites.Sum(suite => suite.Prompts.Count);
        if (plan.MaxPrompts is 0 || plan.MaxPrompts >= all)
        {
            return suites;
        }

        notes.Add($"{plan.MaxPrompts} of {all} unsafe prompts are attacked, drawn by seed {plan.Seed}.");
        var chosen = Philox.Stream(plan.Seed, "attack.prompts").Permutation(all).Take(plan.MaxPrompts).ToHashSet();
        var place = 0;
        return
        [
            .. suites.Select(suite => suite with
            {
                Prompts = [.. suite.Prompts.Where(_ => chosen.Contains(place++))],
            }).Where(suite => suite.Prompts.Count > 0),
        ];
    }
}
