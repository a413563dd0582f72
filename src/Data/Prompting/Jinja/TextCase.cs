namespace SafeLlama.Data;

/// <summary>Upper and lower case. Every character is mapped alone; of those that grow, ß (SS) is known.</summary>
internal static class TextCase
{
    public static MarkedText Upper(JinjaContext context, MarkedText text) =>
        Mapped(context, text, static (_, _) => true);

    public static MarkedText Lower(JinjaContext context, MarkedText text) =>
        Mapped(context, text, static (_, _) => false);

    /// <summary>The first letter of every run of letters in upper case.</summary>
    public static MarkedText Title(JinjaContext context, MarkedText text) =>
        Mapped(context, text, static (value, i) => i == 0 || !IsCased(value[i - 1]));

    public static MarkedText Capitalize(JinjaContext context, MarkedText text) =>
        Mapped(context, text, static (_, i) => i == 0);

    public static bool IsUpper(string text) => text.Any(char.IsUpper) && !text.Any(char.IsLower);

    public static bool IsLower(string text) => text.Any(char.IsLower) && !text.Any(char.IsUpper);

    private static bool IsCased(char c) => char.IsUpper(c) || char.IsLower(c);

    private static MarkedText Mapped(JinjaContext context, MarkedText text, Func<string, int, bool> isUpper) =>
        text.Map(context.Budget, (c, i) => !isUpper(text.Value, i) ? char.ToLowerInvariant(c).ToString()
            : c == 'ß' ? "SS"
            : char.ToUpperInvariant(c).ToString());
}
