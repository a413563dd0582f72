using SafeLlama.Common;
using SafeLlama.Data;
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
        SuitePrompt[] Open(IReadOnlyList<string> names) =>
            [.. names.SelectMany(name => SuiteRegistry.Open(name, folder).Prompts)];
        SuitePrompt[] Take(SuitePrompt[] all) => most == 0 || most >= all.Length ? all
            : [.. Enumerable.Range(0, most).Select(i => all[(int)((long)i * all.Length / most)])];
        var (bad, good) = (Take(Open(harmful)), Take(Open(harmless)));
        var shared = bad.Select(p => (p.Text, p.Context)).Intersect(good.Select(p => (p.Text, p.Context))).Count();
        if (shared > 0)
        {
            throw SafeLlamaException.InvalidData(
                $"{shared} prompts stand both in `Harmful` and in `Harmless`: what differs between the sets would be "
                + "lost. Leave them out of one.");
        }

        return new(bad, good);
    }

    public RefusalDirection Direction(LlamaSession session, int position, CancellationToken cancellation)
    {
        int[][] Ids(IReadOnlyList<SuitePrompt> prompts) =>
            [.. prompts.Select(p => session.PromptIds(new InstructionExample(p.Text, p.Context ?? "", "")))];
        return RefusalDirection.Find(session.Model, Ids(Harmful), Ids(Harmless), position, cancellation);
    }
}
