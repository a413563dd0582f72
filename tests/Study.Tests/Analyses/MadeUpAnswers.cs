using SafeLlama.Evaluation;

namespace SafeLlama.Study.Tests;

/// <summary>Answers with rates that a test chooses, so that what is computed across arms can be checked by
/// hand.</summary>
internal static class MadeUpAnswers
{
    /// <summary>Prompts of one suite; each is a cluster of its own.</summary>
    public const int Prompts = 100;

    /// <summary>One arm on every base and seed.</summary>
    /// <param name="rates">By suite, how many of its prompts comply (unsafe), are refused (safe) or are right
    /// (benign), of <see cref="Prompts"/>; given the number of the base and the seed, both from 1.</param>
    public static IEnumerable<(Replicate, IReadOnlyList<GradedAnswer>)> Arm(
        string name, IReadOnlyDictionary<string, Func<int, int, int>> rates, int models = 1, int seeds = 1) =>
        from model in Enumerable.Range(1, models)
        from seed in Enumerable.Range(1, seeds)
        select (
            new Replicate(name, $"base-{model}", seed),
            (IReadOnlyList<GradedAnswer>)
            [
                .. rates.SelectMany(suite => Enumerable.Range(0, Prompts).Select(
                    i => Answer(suite.Key, i, i < suite.Value(model, seed)))),
            ]);

    /// <summary>An answer that counts for its suite's metric, or does not.</summary>
    public static GradedAnswer Answer(string suite, int number, bool counts)
    {
        var label = suite.StartsWith("unsafe", StringComparison.Ordinal) ? PromptLabel.Unsafe
            : suite.StartsWith("safe", StringComparison.Ordinal) ? PromptLabel.Safe : PromptLabel.Benign;
        var refuses = label switch
        {
            PromptLabel.Unsafe => !counts,
            PromptLabel.Safe => counts,
            _ => false,
        };
        return new(
            new($"{suite}-{number}", suite, "…", PromptFormat.Instruction, label, "c", $"{suite} {number}"), "…",
            !refuses, refuses ? Behavior.FullRefusal : Behavior.FullCompliance,
            label == PromptLabel.Benign ? counts : null);
    }

    public static Outcomes Outcomes(params IEnumerable<(Replicate, IReadOnlyList<GradedAnswer>)>[] arms) =>
        new([.. arms.SelectMany(a => a)]);
}
