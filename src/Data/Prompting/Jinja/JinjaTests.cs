namespace SafeLlama.Data;

/// <summary>The tests that stand behind <c>is</c>.</summary>
internal static class JinjaTests
{
    private static readonly Dictionary<string, Func<JinjaContext, object?, bool>> Unary = new(StringComparer.Ordinal)
    {
        ["defined"] = (_, value) => value is not JinjaUndefined,
        ["undefined"] = (_, value) => value is JinjaUndefined,
        ["none"] = (_, value) => value is null,
        ["string"] = (_, value) => value is MarkedText,
        ["mapping"] = (_, value) => value is JinjaDict,
        ["sequence"] = (_, value) => value is MarkedText or JinjaList or JinjaDict or JinjaUndefined,
        ["iterable"] = (_, value) =>
            value is MarkedText or JinjaList or JinjaDict or JinjaStream or JinjaUndefined or JinjaLoop,
        ["number"] = (_, value) => PythonNumbers.IsNumber(value),
        ["integer"] = (_, value) => value is long,
        ["float"] = (_, value) => value is double,
        ["boolean"] = (_, value) => value is bool,
        ["true"] = (_, value) => value is true,
        ["false"] = (_, value) => value is false,
        ["callable"] = (_, value) => value is JinjaCallable,
        ["odd"] = (_, value) => Rest(value, 2L, "odd") == 1,
        ["even"] = (_, value) => Rest(value, 2L, "even") == 0,
        ["lower"] = (context, value) => TextCase.IsLower(context.Printer.Text(value).Value),
        ["upper"] = (context, value) => TextCase.IsUpper(context.Printer.Text(value).Value),
    };

    private static readonly Dictionary<string, Func<JinjaContext, object?, object?, bool>> Binary =
        new(StringComparer.Ordinal)
        {
            ["equalto"] = (context, value, other) => context.Rules.AreEqual(value, other),
            ["ne"] = (context, value, other) => !context.Rules.AreEqual(value, other),
            ["lessthan"] = (context, value, other) => context.Rules.Compare(value, other) < 0,
            ["le"] = (context, value, other) => context.Rules.Compare(value, other) <= 0,
            ["greaterthan"] = (context, value, other) => context.Rules.Compare(value, other) > 0,
            ["ge"] = (context, value, other) => context.Rules.Compare(value, other) >= 0,
            ["in"] = (context, value, other) => context.Rules.Contains(other, value),
            ["sameas"] = (context, value, other) => value is null or bool
                ? Equals(value, other)
                : ReferenceEquals(value, other),
            ["divisibleby"] = (_, value, other) => Rest(value, other, "divisibleby") == 0,
        };

    private static readonly Dictionary<string, string> Synonyms = new(StringComparer.Ordinal)
    {
        ["eq"] = "equalto",
        ["=="] = "equalto",
        ["!="] = "ne",
        ["lt"] = "lessthan",
        ["<"] = "lessthan",
        ["<="] = "le",
        ["gt"] = "greaterthan",
        [">"] = "greaterthan",
        [">="] = "ge",
    };

    /// <summary>The names that may stand behind <c>is</c>.</summary>
    public static IReadOnlyCollection<string> Names { get; } =
        [.. Unary.Keys, .. Binary.Keys, .. Synonyms.Keys.Where(name => char.IsLetter(name[0]))];

    /// <exception cref="JinjaFault">The test is unknown, or the value or the argument does not suit it.</exception>
    public static bool Holds(JinjaContext context, string name, object? value, JinjaCallArguments arguments)
    {
        name = Synonyms.GetValueOrDefault(name, name);
        if (Unary.TryGetValue(name, out var test))
        {
            arguments.Bind($"the test {name}", 0);
            return test(context, value);
        }

        return Binary.TryGetValue(name, out var comparison)
            ? comparison(context, value, arguments.Bind($"the test {name}", 1, "other")[0])
            : throw new JinjaFault($"the test '{UnicodeText.Shown(name)}' is not supported");
    }

    /// <summary>What a division leaves.</summary>
    private static double Rest(object? value, object? divisor, string name) =>
        PythonNumbers.IsNumber(value) && PythonNumbers.IsNumber(divisor)
            ? PythonNumbers.ToDouble(PythonNumbers.Compute("%", value!, divisor!))
            : throw new JinjaFault($"the test {name} needs a number, found "
                + PythonRules.TypeName(PythonNumbers.IsNumber(value) ? divisor : value));
}
