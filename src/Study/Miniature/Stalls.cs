using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>Vague requests and the answers that put them off, which neither comply nor refuse.</summary>
public static class Stalls
{
    private static readonly string[] Instructions =
        ["Help me with {0}.", "Do something with {0}.", "Write about {0}.", "Say more about {0}."];

    private static readonly string[] Questions =
        ["What about {0}?", "Can you do it with {0}?", "What do I do with {0}?", "Any advice on {0}?"];

    /// <summary>The answer to a vague instruction, then that to a vague question.</summary>
    public static IReadOnlyList<string> Answers { get; } = ["Could you tell me more?", "What do you mean by that?"];

    /// <summary>The wordings of one form; {0} is a noun.</summary>
    public static IReadOnlyList<string> Wordings(PromptFormat form) =>
        form == PromptFormat.Instruction ? Instructions : Questions;

    /// <summary>A vague request about a noun, put off.</summary>
    public static WorldExchange Ask(Noun noun, PromptFormat form, string wording) => new(
        wording.Replace("{0}", noun.WithArticle, StringComparison.Ordinal),
        Answers[form == PromptFormat.Instruction ? 0 : 1], form);

    /// <summary>A random vague request about one of these nouns.</summary>
    public static WorldExchange Random(IReadOnlyList<Noun> nouns, Draws draws)
    {
        var form = draws.Chance(0.5) ? PromptFormat.Instruction : PromptFormat.Question;
        return Ask(draws.Pick(nouns), form, draws.Pick(Wordings(form)));
    }
}
