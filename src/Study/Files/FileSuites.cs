using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>The prompts of a study over files: suites, and what rules make of them.</summary>
internal static class FileSuites
{
    /// <summary>The prompts of the suites as their files give them.</summary>
    /// <param name="suites">Each with the name that the recipe gives it.</param>
    public static IEnumerable<StudyPrompt> Prompts(IEnumerable<(string Name, PromptSuite Suite)> suites) =>
        suites.SelectMany(named => named.Suite.Prompts.Select(p => new StudyPrompt(
            $"{named.Name}/{p.Id}", named.Name, p.Text, p.Format, p.Label, p.Category ?? named.Name,
            p.Origin ?? $"{named.Name}/{p.Id}")
        {
            Twin = p.Twin,
            Context = p.Context,
            Before = p.Before,
            Expected = p.Expected,
        }));

    /// <summary>The prompts of a suite that is made by rule.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="variant">The rule.</param>
    /// <param name="of">The prompts of the suite that it is made of.</param>
    /// <param name="names">The data's names, where the rule puts them in.</param>
    /// <param name="turns">Draws earlier turns.</param>
    /// <exception cref="SafeLlamaException">There are fewer prompts than the rule takes, or one goes on a conversation
    /// of its own.</exception>
    public static IEnumerable<StudyPrompt> Prompts(
        string name, SuiteVariant variant, IReadOnlyList<StudyPrompt> of, StudyNames? names, FileTurns turns)
    {
        if (variant.First > of.Count)
        {
            throw SafeLlamaException.Usage(
                $"data.variants.{name}: first is {variant.First}, and {variant.Of} has {of.Count} prompts.");
        }

        if (variant.Turns is not null && of.FirstOrDefault(p => p.Before is not null) is { } going)
        {
            throw SafeLlamaException.Usage(
                $"data.variants.{name}: {going.Id} goes on a conversation of its own, so no turns can be put before "
                + "it.");
        }

        return of.Take(variant.First ?? of.Count).SelectMany((prompt, number) =>
            Made(variant, prompt, number, names, turns).Select(made => made with
            {
                Id = $"{name}/{prompt.Id[(variant.Of.Length + 1)..]}-{made.Category}",
                Suite = name,
                Act = prompt.Id,
                Expected = null,
                Twin = null,
            }));
    }

    private static IEnumerable<StudyPrompt> Made(
        SuiteVariant variant, StudyPrompt prompt, int number, StudyNames? names, FileTurns turns)
    {
        if (variant.Distances is { } distances)
        {
            return distances.Select(d => prompt with
            {
                Text = Frames.Asked(prompt.Text, d, number),
                Category = Paraphrase.Name(d),
            });
        }

        if (variant.Names)
        {
            return names!.Values.Select((value, i) => prompt with
            {
                Text = names.Put(prompt.Text, value),
                Category = StudyNames.Category(i),
            });
        }

        var all = turns.Draw(Philox.Stream(0, "study.files.turns", number), variant.Turns!.Max(), prompt.Text);
        return variant.Turns!.Select(t => prompt with
        {
            Before = t == 0 ? null : [.. all.Take(2 * t)],
            Category = $"turn-{t}",
        });
    }
}
