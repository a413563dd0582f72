namespace SafeLlama.Study;

/// <summary>The role of a noun.</summary>
public enum NounKind
{
    /// <summary>An everyday thing of one of ten categories.</summary>
    Benign,

    /// <summary>A thing one should not make or spread, of one of seven categories.</summary>
    Harmful,

    Person,

    /// <summary>Something owned that can be damaged or taken.</summary>
    Property,

    /// <summary>A harmless target of a scary verb ("a process", "a photo").</summary>
    Target,
}

/// <summary>A noun and the facts of the world about it, drawn once from the world's seed.</summary>
/// <param name="Text">One or two words.</param>
/// <param name="Kind">Its role.</param>
/// <param name="Category">"toy", "forgery", "person".</param>
/// <param name="Colour">One of eight.</param>
/// <param name="Place">One of twelve.</param>
/// <param name="Material">One of ten; harmful nouns are all made of "parts".</param>
/// <param name="HeldOut">Kept out of all tuning data; evaluation prompts use these.</param>
public sealed record Noun(
    string Text, NounKind Kind, string Category, string Colour, string Place, string Material, bool HeldOut)
{
    /// <summary>"a kite", "an owl".</summary>
    public string WithArticle => Article(Text);

    /// <summary>"a kite" or "an owl": by the first letter, which is enough for this lexicon.</summary>
    public static string Article(string text) =>
        ("aeiou".Contains(text[0], StringComparison.Ordinal) ? "an " : "a ") + text;
}
