using System.Globalization;

namespace SafeLlama.Data;

/// <summary>The names of Unicode's general categories in regular expressions.</summary>
internal static class CategoryNames
{
    private static readonly string[] Short =
    [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co",
        "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Cn",
    ];

    /// <summary>Names with a bit for each <see cref="UnicodeCategory"/> they stand for: groups of several.</summary>
    /// <remarks>The group C is not among them: it holds the surrogates.</remarks>
    public static IReadOnlyList<(string Name, int Mask)> Groups { get; } =
        [.. "LMNZPS".Select(group => (group.ToString(), Mask(name => name[0] == group)))];

    /// <summary>The thirty categories.</summary>
    public static IReadOnlyList<(string Name, int Mask)> Single { get; } =
        [.. Short.Select((name, i) => (name, 1 << i))];

    /// <summary>The categories of a group's or a category's short name; none where there is no such name.</summary>
    public static UnicodeCategory[] Find(string name) =>
        [.. Enumerable.Range(0, Short.Length)
            .Where(i => Short[i] == name || (name.Length == 1 && Short[i][0] == name[0]))
            .Select(i => (UnicodeCategory)i)];

    private static int Mask(Func<string, bool> holds) =>
        Enumerable.Range(0, Short.Length).Where(i => holds(Short[i])).Sum(i => 1 << i);
}
