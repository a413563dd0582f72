namespace SafeLlama.Data;

/// <summary>The filters that stand behind <c>|</c>.</summary>
internal static class JinjaFilters
{
    private static readonly Dictionary<string, Func<JinjaContext, object?, JinjaCallArguments, object?>> All =
        new(StringComparer.Ordinal)
        {
            ["tojson"] = JinjaJson.Write,
            ["trim"] = TextFilters.Trim,
            ["upper"] = (context, value, arguments) =>
                TextCase.Upper(context, TextFilters.Bare(context, value, arguments)),
            ["lower"] = (context, value, arguments) =>
                TextCase.Lower(context, TextFilters.Bare(context, value, arguments)),
            ["title"] = (context, value, arguments) =>
                TextFilters.Title(context, TextFilters.Bare(context, value, arguments)),
            ["capitalize"] = (context, value, arguments) =>
                TextCase.Capitalize(context, TextFilters.Bare(context, value, arguments)),
            ["string"] = (context, value, arguments) => TextFilters.Bare(context, value, arguments),
            ["safe"] = (context, value, arguments) => TextFilters.Bare(context, value, arguments),
            ["replace"] = (context, value, arguments) => TextMethods.Replace(
                context, context.Printer.Text(value), arguments.Bind("the filter replace", 2, "old", "new", "count")),
            ["indent"] = TextFilters.Indent,
            ["int"] = TextFilters.Int,
            ["float"] = TextFilters.Float,
            ["abs"] = (_, value, _) => PythonNumbers.IsNumber(value)
                ? PythonNumbers.Compare(value!, 0L) < 0 ? PythonNumbers.Negate(value!)
                    : PythonNumbers.ToWhole(value) ?? value
                : throw new JinjaFault($"the filter abs needs a number, found {PythonRules.TypeName(value)}"),
            ["default"] = Default,
            ["length"] = (_, value, arguments) => Length(value, arguments),
            ["join"] = SequenceFilters.Join,
            ["first"] = SequenceFilters.First,
            ["last"] = SequenceFilters.Last,
            ["list"] = (context, value, _) => new JinjaList(context.Rules.Iterate(value)),
            ["reverse"] = SequenceFilters.Reverse,
            ["items"] = SequenceFilters.Items,
            ["unique"] = SequenceFilters.Unique,
            ["sort"] = SequenceFilters.Sort,
            ["sum"] = SequenceFilters.Sum,
            ["min"] = (context, value, arguments) => SequenceFilters.Extreme(context, value, arguments, "min"),
            ["max"] = (context, value, arguments) => SequenceFilters.Extreme(context, value, arguments, "max"),
            ["map"] = SelectFilters.Map,
            ["select"] = (context, value, arguments) => SelectFilters.Select(context, value, arguments, keeps: true),
            ["reject"] = (context, value, arguments) => SelectFilters.Select(context, value, arguments, keeps: false),
            ["selectattr"] = (context, value, arguments) =>
                SelectFilters.SelectAttribute(context, value, arguments, keeps: true),
            ["rejectattr"] = (context, value, arguments) =>
                SelectFilters.SelectAttribute(context, value, arguments, keeps: false),
        };

    private static readonly Dictionary<string, string> Synonyms =
        new(StringComparer.Ordinal) { ["d"] = "default", ["count"] = "length" };

    /// <summary>The names that may stand behind <c>|</c>.</summary>
    public static IReadOnlyCollection<string> Names { get; } = [.. All.Keys, .. Synonyms.Keys];

    /// <exception cref="JinjaFault">The filter is unknown, or a value does not suit it.</exception>
    public static object? Apply(JinjaContext context, string name, object? value, JinjaCallArguments arguments) =>
        All.TryGetValue(Synonyms.GetValueOrDefault(name, name), out var filter)
            ? filter(context, value, arguments)
            : throw new JinjaFault($"the filter '{UnicodeText.Shown(name)}' is not supported");

    private static object? Default(JinjaContext context, object? value, JinjaCallArguments arguments)
    {
        var bound = arguments.Bind("the filter default", 0, "default_value", "boolean");
        var takesFalse = bound[1] != JinjaCallArguments.Absent && PythonRules.IsTrue(bound[1]);
        return value is JinjaUndefined || (takesFalse && !PythonRules.IsTrue(value))
            ? bound[0] == JinjaCallArguments.Absent ? MarkedText.Empty : bound[0]
            : value;
    }

    private static long Length(object? value, JinjaCallArguments arguments)
    {
        arguments.Bind("the filter length", 0);
        return PythonRules.Length(value)
            ?? throw new JinjaFault($"the filter length needs a text, a list or a dictionary, found "
                + PythonRules.TypeName(value));
    }
}
