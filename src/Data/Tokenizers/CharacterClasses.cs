using static System.Globalization.UnicodeCategory;

namespace SafeLlama.Data;

/// <summary>The classes that Oniguruma's expressions name: <c>\s</c>, <c>[[:alpha:]]</c>, <c>\p{Lu}</c>.</summary>
/// <remarks>
/// Checked against Hugging Face's tokenizers 0.23, whose expressions Oniguruma matches (Ruby's syntax, Unicode).
/// </remarks>
internal static class CharacterClasses
{
    private const string WhiteSpace = "9-d 20 85 a0 1680 2000-200a 2028 2029 202f 205f 3000";

    /// <summary>The set of a letter after a backslash; null where the letter names none.</summary>
    public static CharacterSet? Escape(char letter)
    {
        var set = char.ToLowerInvariant(letter) switch
        {
            's' => Named("space"),
            'd' => Named("digit"),
            'w' => Named("word")!.With(UnicodeProperties.LatinNumbers),
            'h' => Named("xdigit"),
            _ => null,
        };
        return set is null ? null : Negate(set, char.IsUpper(letter));
    }

    /// <summary>The set of a POSIX bracket's name; null where there is none.</summary>
    public static CharacterSet? Named(string name) => name switch
    {
        "space" => new CharacterSet().With(WhiteSpace),
        "digit" => CharacterSet.Of(DecimalDigitNumber),
        "xdigit" => new CharacterSet().With("30-39 41-46 61-66"),
        "ascii" => new CharacterSet().With("0-7f"),
        "blank" => CharacterSet.Of(SpaceSeparator).With("9"),
        "cntrl" => CharacterSet.Of(Control),
        "punct" => Group("P", "S"),
        "alpha" => Alphabetic(),
        "alnum" => Union(Alphabetic(), CharacterSet.Of(DecimalDigitNumber)),
        "upper" => CharacterSet.Of(UppercaseLetter).With(UnicodeProperties.OtherUppercase),
        "lower" => CharacterSet.Of(LowercaseLetter).With(UnicodeProperties.OtherLowercase),
        "word" => Union(
            Group("L", "M"), CharacterSet.Of(DecimalDigitNumber, LetterNumber, ConnectorPunctuation)
                .With(UnicodeProperties.EnclosedLetters)),
        "graph" => Union(Group("L", "M", "N", "P", "S"), CharacterSet.Of(Format, PrivateUse)),
        "print" => Union(Named("graph")!, CharacterSet.Of(SpaceSeparator)),
        _ => null,
    };

    /// <summary>The set of <c>\p{name}</c>; null where it is none of the general categories and POSIX names.</summary>
    public static CharacterSet? Property(string name) => CategoryNames.Find(name) is { Length: > 0 } categories
        ? CharacterSet.Of(categories)
        : name.ToLowerInvariant() switch
        {
            "punct" => Group("P"),
            "letter" => Group("L"),
            "mark" => Group("M"),
            "number" => Group("N"),
            "punctuation" => Group("P"),
            "symbol" => Group("S"),
            "any" => new CharacterSet().Add(0, 0x10FFFF),
            var other => Named(other),
        };

    public static CharacterSet Negate(CharacterSet set, bool negate)
    {
        set.Negated ^= negate;
        return set;
    }

    private static CharacterSet Alphabetic() => Union(Group("L"), CharacterSet.Of(LetterNumber)
        .With(UnicodeProperties.EnclosedLetters).With(UnicodeProperties.AlphabeticMarks));

    private static CharacterSet Group(params string[] names) =>
        CharacterSet.Of([.. names.SelectMany(CategoryNames.Find)]);

    private static CharacterSet Union(CharacterSet first, CharacterSet second)
    {
        first.TryAdd(second);
        return first;
    }
}
