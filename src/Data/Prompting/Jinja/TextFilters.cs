using System.Globalization;

namespace SafeLlama.Data;

/// <summary>Filters that make texts and numbers.</summary>
internal static class TextFilters
{
    /// <summary>A value as text, for a filter without arguments.</summary>
    public static MarkedText Bare(JinjaContext context, object? value, JinjaCallArguments arguments)
    {
        arguments.Bind("the filter", 0);
        return context.Printer.Text(value);
    }

    public static object Trim(JinjaContext context, object? value, JinjaCallArguments arguments)
    {
        var characters = arguments.Only("the filter trim", "chars");
        return context.Printer.Text(value).Trim(
            characters is null || characters == JinjaCallArguments.Absent
                ? null
                : JinjaContext.AsText(characters, "the filter trim").Value,
            atStart: true, atEnd: true);
    }

    /// <summary>Jinja's rule: a letter behind white space or one of <c>-({[&lt;</c> is upper, others lower.</summary>
    public static MarkedText Title(JinjaContext context, MarkedText text) => text.Map(context.Budget, (c, i) =>
        i == 0 || PythonText.IsSpace(text.Value[i - 1]) || text.Value[i - 1] is '-' or '(' or '{' or '[' or '<'
            ? char.ToUpperInvariant(c).ToString()
            : char.ToLowerInvariant(c).ToString());

    /// <summary>Every line but the first, and no blank one, is moved to the right.</summary>
    public static object Indent(JinjaContext context, object? value, JinjaCallArguments arguments)
    {
        var bound = arguments.Bind("the filter indent", 0, "width", "first", "blank");
        var width = bound[0] switch
        {
            MarkedText text => text,
            var number => Spaces(context, number),
        };
        var lines = JinjaContext.AsText(value, "the filter indent");
        var (first, blank) = (IsOn(bound[1]), IsOn(bound[2]));
        var indented = context.NewText();
        var start = 0;
        while (start <= lines.Value.Length)
        {
            var end = lines.Value.IndexOf('\n', start) is var found and >= 0 ? found : lines.Value.Length;
            if ((start > 0 || first) && (blank || end > start))
            {
                indented.Append(width);
            }

            indented.Append(lines.Units(start, Math.Min(end + 1, lines.Value.Length)));
            start = end + 1;
        }

        return indented.ToText();
    }

    public static object Int(JinjaContext context, object? value, JinjaCallArguments arguments)
    {
        var otherwise = arguments.Only("the filter int", "default");
        otherwise = otherwise == JinjaCallArguments.Absent ? 0L : otherwise;
        switch (value)
        {
            case JinjaUndefined undefined:
                throw new JinjaFault(undefined.Message);
            case double number when Math.Abs(number) < long.MaxValue:
                return (long)number;
            case MarkedText text when Number(text.Value) is { } read:
                return long.TryParse(Digits(text.Value), NumberStyles.AllowLeadingSign, null, out var exact) ? exact
                    : Math.Abs(read) < long.MaxValue ? (long)read
                    : throw new JinjaFault("the number is beyond 64 bits");
            default:
                return PythonNumbers.ToWhole(value) ?? otherwise!;
        }
    }

    public static object Float(JinjaContext context, object? value, JinjaCallArguments arguments)
    {
        var otherwise = arguments.Only("the filter float", "default");
        return value switch
        {
            JinjaUndefined undefined => throw new JinjaFault(undefined.Message),
            MarkedText text when Number(text.Value) is { } read => read,
            _ when PythonNumbers.IsNumber(value) => PythonNumbers.ToDouble(value!),
            _ => otherwise == JinjaCallArguments.Absent ? 0.0 : otherwise!,
        };
    }

    private static string Digits(string text) => text.Trim().Replace("_", "", StringComparison.Ordinal);

    private static double? Number(string text) =>
        double.TryParse(
            Digits(text), NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent,
            CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null;

    private static MarkedText Spaces(JinjaContext context, object? width)
    {
        var count = width == JinjaCallArguments.Absent ? 4 : JinjaContext.AsWhole(width, "the filter indent");
        context.Budget.Charge(Math.Max(count, 0), count);
        return new MarkedText(new string(' ', (int)Math.Max(count, 0)));
    }

    private static bool IsOn(object? value) => value != JinjaCallArguments.Absent && PythonRules.IsTrue(value);
}
