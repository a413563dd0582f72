using SafeLlama.Common;
using SafeLlama.Evaluation;
using SafeLlama.Inference;

namespace SafeLlama.Cli.Inspecting;

/// <summary>The two sets of prompts that a direction is told from.</summary>
internal sealed record InspectedPrompts(IReadOnlyList<SuitePrompt> Harmful, IReadOnlyList<SuitePrompt> Harmless)
{
    /// <param name="most">Prompts of a set, spread evenly over it; 0 for all.</param>
    public static InspectedPrompts Read(
        IReadOnlyList<string> harmful, IReadOnlyList<string> harmless, string? folder, int most)
    {
        SuitePrompt[] Open(IReadOnlyList<string> names, PromptLabel label) =>
            [.. names.SelectMany(name => SuiteRegistry.Open(name, folder, label).Prompts)];
        SuitePrompt[] Take(SuitePrompt[] all) => most == 0 || most >= all.Length ? all
            : [.. Enumerable.Range(0, most).Select(i => all[(int)((long)i * all.Length / most)])];
        var (bad, good) = (Take(Open(harmful, PromptLabel.Unsafe)), Take(Open(harmless, PromptLabel.Benign)));
        static (string, string?) Asked(SuitePrompt prompt) => (prompt.Text, prompt.Surroundings);
        var shared = bad.Select(Asked).Intersect(good.Select(Asked)).Count();
        if (shared > 0)
        {
            throw SafeLlamaException.InvalidData(
                $"{shared} prompts stand both in `Harmful` and in `Harmless`: what differs between the sets would be "
                + "lost. Leave them out of one.");
        }

        Terminal.Notes([.. Strange(nameof(harmful), bad, harm: true), .. Strange(nameof(harmless), good, harm: false)]);
        return new(bad, good);
    }

    /// <summary>Says how many prompts of a set their own file calls the opposite.</summary>
    private static IEnumerable<string> Strange(string set, SuitePrompt[] prompts, bool harm)
    {
        var other = prompts.Count(p => (p.Label is PromptLabel.Unsafe or PromptLabel.Contrast) != harm);
        return other == 0 ? []
            : [$"--{set}: {other} of {prompts.Length} prompts are labeled {(harm ? "safe or benign" : "unsafe or contrast")} "
                + "in their file; they stay in the set that was asked for."];
    }

    public RefusalDirection Direction(LlamaSession session, int position, CancellationToken cancellation)
    {
        int[][] Ids(IReadOnlyList<SuitePrompt> prompts) =>
            [.. prompts.Select(p => session.PromptIds(p.Row()))];
        return RefusalDirection.Find(session.Model, Ids(Harmful), Ids(Harmless), position, cancellation);
    }
}
