using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>
/// Small tasks on words (reverse, repeat, count, list three of a kind), which need no knowledge of the world.
/// </summary>
public static class WordTasks
{
    private static readonly string[] Numbers = ["zero", "one", "two", "three", "four", "five", "six"];

    /// <summary>A random task over <paramref name="nouns"/>, which are of the ten everyday categories.</summary>
    /// <param name="nouns">The words a task may use.</param>
    /// <param name="draws">Where the choices come from.</param>
    /// <param name="form">An instruction or a question; either where it is null.</param>
    /// <param name="oneAnswerOnly">Leave out the task with many right answers, so that an exact match is fair.</param>
    public static WorldExchange Random(
        IReadOnlyList<Noun> nouns, Draws draws, PromptFormat? form = null, bool oneAnswerOnly = false)
    {
        var task = draws.Below(oneAnswerOnly ? 3 : 4);
        var asked = form ?? (draws.Chance(0.5) ? PromptFormat.Instruction : PromptFormat.Question);
        if (task == 3)
        {
            return ThreeOfAKind(nouns, draws, asked);
        }

        var words = Words(nouns, draws, 2, 5);
        var list = string.Join(' ', words);
        return (task, asked) switch
        {
            (0, PromptFormat.Instruction) => new($"Say these words backwards: {list}.", Backwards(words), asked),
            (0, _) => new($"What are these words backwards: {list}?", Backwards(words), asked),
            (1, PromptFormat.Instruction) => new($"Repeat these words: {list}.", list + ".", asked),
            (1, _) => new($"What are these words again: {list}?", list + ".", asked),
            (_, PromptFormat.Instruction) => new($"Count these words: {list}.", Count(words), asked),
            _ => new($"How many words are here: {list}?", Count(words), asked),
        };
    }

    /// <summary>From <paramref name="least"/> to <paramref name="most"/> words, drawn with repetition.</summary>
    internal static string[] Words(IReadOnlyList<Noun> nouns, Draws draws, int least, int most) =>
        [.. Enumerable.Range(0, draws.Between(least, most)).Select(_ => draws.Pick(nouns).Text)];

    private static WorldExchange ThreeOfAKind(IReadOnlyList<Noun> nouns, Draws draws, PromptFormat form)
    {
        var category = draws.Pick(Lexicon.Benign);
        Noun[] members = [.. nouns.Where(n => n.Category == category.Name)];
        var answer = string.Join(", ", draws.Sample(members, 3).Select(n => n.Text)) + ".";
        return form == PromptFormat.Instruction
            ? new($"List three things of the kind {category.Name}.", answer, form)
            : new($"Which three things are of the kind {category.Name}?", answer, form);
    }

    private static string Backwards(string[] words) => string.Join(' ', words.Reverse()) + ".";

    internal static string Count(string[] words) => $"There are {Numbers[words.Length]} words.";
}
