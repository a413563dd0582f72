using System.Globalization;
using System.Text;

namespace SafeLlama.Data;

/// <summary>The functions that every template may call.</summary>
internal static class JinjaFunctions
{
    /// <summary>The longest range, as in Jinja's sandbox.</summary>
    private const long LongestRange = 100_000;

    public static IEnumerable<JinjaCallable> All(JinjaContext context, DateTime today) =>
    [
        new("range", arguments => Range(context, arguments)),
        new("namespace", Namespace),
        new("dict", arguments => arguments.Positional.Count == 0
            ? JinjaDict.Of(arguments.Named)
            : throw new JinjaFault("dict takes named arguments alone")),
        new("raise_exception", arguments => throw new JinjaFault(UnicodeText.Shown(
            context.Printer.Text(arguments.Bind("raise_exception", 1, "message")[0]).Value)) { IsRefusal = true }),
        new("strftime_now", arguments => new MarkedText(Date(
            JinjaContext.AsText(arguments.Bind("strftime_now", 1, "format")[0], "strftime_now").Value, today))),
    ];

    private static JinjaList Range(JinjaContext context, JinjaCallArguments arguments)
    {
        var bound = arguments.Bind("range", 1, "start", "stop", "step");
        var first = JinjaContext.AsWhole(bound[0], "range");
        var (start, stop) = bound[1] == JinjaCallArguments.Absent
            ? (0, first)
            : (first, JinjaContext.AsWhole(bound[1], "range"));
        var step = bound[2] == JinjaCallArguments.Absent ? 1 : JinjaContext.AsWhole(bound[2], "range");
        if (step == 0)
        {
            throw new JinjaFault("the step of range is 0");
        }

        var count = step > 0
            ? ((decimal)stop - start + step - 1) / step
            : ((decimal)start - stop - step - 1) / -(decimal)step;
        if (count >= LongestRange + 1)
        {
            throw new JinjaFault($"range makes more than {LongestRange:N0} numbers");
        }

        context.Budget.Step((long)Math.Max(count, 0));
        return new JinjaList(
            [.. Enumerable.Range(0, (int)Math.Max(count, 0)).Select(i => (object)(start + (i * step)))]);
    }

    private static JinjaNamespace Namespace(JinjaCallArguments arguments)
    {
        var made = new JinjaNamespace();
        foreach (var argument in arguments.Positional)
        {
            foreach (var (key, value) in argument is JinjaDict dict
                ? dict.Items
                : throw new JinjaFault("namespace takes named arguments, or a dictionary"))
            {
                made.Attributes[JinjaContext.AsText(JinjaKeys.Value(key), "namespace").Value] = value;
            }
        }

        foreach (var (name, value) in arguments.Named)
        {
            made.Attributes[name] = value;
        }

        return made;
    }

    /// <summary>The date and time in the letters of <c>strftime</c>.</summary>
    private static string Date(string format, DateTime today)
    {
        var text = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            var isLast = i + 1 == format.Length;
            text.Append(format[i] != '%' || isLast ? format[i].ToString() : Field(format[++i], today));
        }

        return text.ToString();
    }

    private static string Field(char letter, DateTime today) => letter switch
    {
        '%' => "%",
        'j' => today.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
        'w' => ((int)today.DayOfWeek).ToString(CultureInfo.InvariantCulture),
        'F' => Field('Y', today) + "-" + Field('m', today) + "-" + Field('d', today),
        'T' => Field('H', today) + ":" + Field('M', today) + ":" + Field('S', today),
        _ => today.ToString(
            letter switch
            {
                'd' => "dd",
                'm' => "MM",
                'Y' => "yyyy",
                'y' => "yy",
                'b' => "MMM",
                'B' => "MMMM",
                'a' => "ddd",
                'A' => "dddd",
                'H' => "HH",
                'I' => "hh",
                'M' => "mm",
                'S' => "ss",
                'p' => "tt",
                _ => throw new JinjaFault($"strftime_now does not know '%{UnicodeText.Shown(letter.ToString())}'"),
            },
            CultureInfo.InvariantCulture),
    };
}
