using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>Draws the examples that precede every question.</summary>
public static class FewShot
{
    /// <summary>
    /// The first <paramref name="count"/> of a seeded shuffle; they must come from a file that is not tested on.
    /// </summary>
    /// <exception cref="SafeLlamaException">There are too few, or one of them is among the questions.</exception>
    public static IReadOnlyList<ChoiceItem> Draw(
        IReadOnlyList<ChoiceItem> examples, IReadOnlyList<ChoiceItem> questions, int count, long seed)
    {
        if (count > examples.Count)
        {
            throw SafeLlamaException.Usage($"`Shots` {count}: the file of examples holds {examples.Count}.");
        }

        ChoiceItem[] drawn =
            [.. Philox.Stream(seed, "few-shot").Permutation(examples.Count).Take(count).Select(i => examples[i])];
        var asked = questions.Select(q => q.Question).ToHashSet();
        return drawn.FirstOrDefault(e => asked.Contains(e.Question)) is { } leaked
            ? throw SafeLlamaException.Usage(
                $"`Shots` {count}: the example {leaked.Id} is also a question of {leaked.Task}; "
                    + $"give examples from another "
                + "file.")
            : drawn;
    }
}
