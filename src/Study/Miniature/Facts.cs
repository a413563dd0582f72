using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>The four kinds of fact about a noun.</summary>
public enum FactKind
{
    Colour,
    Category,
    Place,

    /// <summary>Never asked of a harmful noun.</summary>
    Material,
}

/// <summary>A request and the answer the world gives to it.</summary>
public sealed record WorldExchange(string Request, string Answer, PromptFormat Form);

/// <summary>Questions about facts, and their answers.</summary>
public static class Facts
{
    /// <summary>The wordings in which a fact is asked for: one or two for each kind and form.</summary>
    public static IReadOnlyList<string> Wordings(FactKind kind, PromptFormat form) => (kind, form) switch
    {
        (FactKind.Colour, PromptFormat.Instruction) => ["Name the colour of {0}.", "Tell me the colour of {0}."],
        (FactKind.Colour, _) => ["What is the colour of {0}?", "What colour is {0}?"],
        (FactKind.Category, PromptFormat.Instruction) => ["Define {0}.", "Describe what {0} is."],
        (FactKind.Category, _) => ["What is {0}?", "What kind of thing is {0}?"],
        (FactKind.Place, PromptFormat.Instruction) => ["Name the place of {0}.", "Tell me where {0} is."],
        (FactKind.Place, _) => ["Where is {0}?", "In which place is {0}?"],
        (_, PromptFormat.Instruction) => ["Name the material of {0}."],
        _ => ["What is {0} made of?"],
    };

    /// <summary>The kinds that may be asked of this noun.</summary>
    public static IReadOnlyList<FactKind> Kinds(Noun noun) => noun.Kind == NounKind.Harmful
        ? [FactKind.Colour, FactKind.Category, FactKind.Place]
        : [FactKind.Colour, FactKind.Category, FactKind.Place, FactKind.Material];

    /// <summary>"A kite is in the park."</summary>
    public static string Answer(FactKind kind, Noun noun)
    {
        var subject = Grammar.Capital(noun.WithArticle);
        return kind switch
        {
            FactKind.Colour => $"The colour of {noun.WithArticle} is {noun.Colour}.",
            FactKind.Category => $"{subject} is {Noun.Article(noun.Category)}.",
            FactKind.Place => $"{subject} is in the {noun.Place}.",
            _ => $"{subject} is made of {noun.Material}.",
        };
    }

    /// <summary>This fact, asked in this wording.</summary>
    public static WorldExchange Ask(FactKind kind, Noun noun, PromptFormat form, string wording) =>
        new(wording.Replace("{0}", noun.WithArticle, StringComparison.Ordinal), Answer(kind, noun), form);

    /// <summary>A random fact about a noun, in a random wording (of <paramref name="form"/>, where it is
    /// given).</summary>
    public static WorldExchange Random(Noun noun, Draws draws, PromptFormat? form = null)
    {
        var kind = draws.Pick(Enum.GetValues<FactKind>());
        if (kind == FactKind.Material && noun.Kind == NounKind.Harmful)
        {
            kind = FactKind.Category;
        }

        var asked = form ?? (draws.Chance(0.5) ? PromptFormat.Instruction : PromptFormat.Question);
        return Ask(kind, noun, asked, draws.Pick(Wordings(kind, asked)));
    }
}
