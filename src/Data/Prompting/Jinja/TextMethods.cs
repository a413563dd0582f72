namespace SafeLlama.Data;

/// <summary>The methods of strings.</summary>
internal static class TextMethods
{
    private static readonly Dictionary<string, Func<JinjaContext, MarkedText, JinjaCallArguments, object?>> Methods =
        new(StringComparer.Ordinal)
        {
            ["strip"] = (_, text, arguments) => Strip(text, arguments, atStart: true, atEnd: true),
            ["lstrip"] = (_, text, arguments) => Strip(text, arguments, atStart: true, atEnd: false),
            ["rstrip"] = (_, text, arguments) => Strip(text, arguments, atStart: false, atEnd: true),
            ["upper"] = (context, text, arguments) => Bare(arguments, () => TextCase.Upper(context, text)),
            ["lower"] = (context, text, arguments) => Bare(arguments, () => TextCase.Lower(context, text)),
            ["casefold"] = (context, text, arguments) => Bare(arguments, () => TextCase.Lower(context, text)),
            ["title"] = (context, text, arguments) => Bare(arguments, () => TextCase.Title(context, text)),
            ["capitalize"] = (context, text, arguments) => Bare(arguments, () => TextCase.Capitalize(context, text)),
            ["startswith"] = (_, text, arguments) => Affix(arguments, "startswith", text.Value.StartsWith),
            ["endswith"] = (_, text, arguments) => Affix(arguments, "endswith", text.Value.EndsWith),
            ["removeprefix"] = (_, text, arguments) => Text(arguments, "removeprefix") is var prefix
                && prefix.Length > 0 && text.Value.StartsWith(prefix, StringComparison.Ordinal)
                    ? text.Units(prefix.Length, text.Value.Length)
                    : text,
            ["removesuffix"] = (_, text, arguments) => Text(arguments, "removesuffix") is var suffix
                && suffix.Length > 0 && text.Value.EndsWith(suffix, StringComparison.Ordinal)
                    ? text.Units(0, text.Value.Length - suffix.Length)
                    : text,
            ["find"] = (context, text, arguments) => Find(context, text, arguments, "find", isLast: false),
            ["rfind"] = (context, text, arguments) => Find(context, text, arguments, "rfind", isLast: true),
            ["index"] = (context, text, arguments) => Found(Find(context, text, arguments, "index", isLast: false)),
            ["rindex"] = (context, text, arguments) => Found(Find(context, text, arguments, "rindex", isLast: true)),
            ["count"] = (context, text, arguments) => Count(context, text, arguments),
            ["replace"] = (context, text, arguments) =>
                Replace(context, text, arguments.Bind("replace", 2, "old", "new", "count")),
            ["split"] = (context, text, arguments) => TextSplit.Split(context, text, arguments, isLast: false),
            ["rsplit"] = (context, text, arguments) => TextSplit.Split(context, text, arguments, isLast: true),
            ["splitlines"] = (context, text, arguments) => TextSplit.Lines(context, text, arguments),
            ["partition"] = (_, text, arguments) => TextSplit.Partition(text, arguments, isLast: false),
            ["rpartition"] = (_, text, arguments) => TextSplit.Partition(text, arguments, isLast: true),
            ["join"] = (context, text, arguments) => context.Join(
                [.. context.Rules.Iterate(arguments.Bind("join", 1, "items")[0])
                    .Select(item => JinjaContext.AsText(item, "join"))],
                text),
            ["format"] = TextFormat.Braces,
            ["isdigit"] = (_, text, arguments) => Bare(arguments, () => (object)All(text, char.IsDigit)),
            ["isalpha"] = (_, text, arguments) => Bare(arguments, () => (object)All(text, char.IsLetter)),
            ["isalnum"] = (_, text, arguments) => Bare(arguments, () => (object)All(text, char.IsLetterOrDigit)),
            ["isspace"] = (_, text, arguments) => Bare(arguments, () => (object)All(text, PythonText.IsSpace)),
            ["isupper"] = (_, text, arguments) => Bare(arguments, () => (object)TextCase.IsUpper(text.Value)),
            ["islower"] = (_, text, arguments) => Bare(arguments, () => (object)TextCase.IsLower(text.Value)),
        };

    private static readonly string[] Refused =
    [
        "center", "encode", "expandtabs", "format_map", "isascii", "isdecimal", "isidentifier", "isnumeric",
        "isprintable", "istitle", "ljust", "maketrans", "rjust", "swapcase", "translate", "zfill",
    ];

    /// <summary>The method of that name; null where Python has none.</summary>
    /// <exception cref="JinjaFault">Python has it, but it is not supported.</exception>
    public static JinjaCallable? Find(JinjaContext context, MarkedText text, string name) =>
        Methods.TryGetValue(name, out var method)
            ? new JinjaCallable(name, arguments =>
            {
                context.Budget.Charge(text.Value.Length, 0);
                return method(context, text, arguments);
            })
            : Refused.Contains(name)
                ? throw new JinjaFault($"the method '{name}' of strings is not supported")
                : null;

    /// <summary>Every <paramref name="bound"/>[0] replaced by [1], at most [2] times; −1 is no limit.</summary>
    public static MarkedText Replace(JinjaContext context, MarkedText text, object?[] bound)
    {
        var old = JinjaContext.AsText(bound[0], "replace").Value;
        var replacement = JinjaContext.AsText(bound[1], "replace");
        var most = bound[2] is null || bound[2] == JinjaCallArguments.Absent
            ? -1
            : JinjaContext.AsWhole(bound[2], "replace");
        var replaced = context.NewText();
        var at = 0;
        for (var done = 0L; done != most; done++)
        {
            // An empty text stands before every character and at the end, as Python counts it.
            var found = old.Length > 0 ? text.Value.IndexOf(old, at, StringComparison.Ordinal)
                : done == 0 ? 0
                : at < text.Value.Length ? Next(at) : -1;
            if (found < 0)
            {
                break;
            }

            replaced.Append(text.Units(at, found));
            replaced.Append(replacement);
            at = found + old.Length;
        }

        replaced.Append(text.Units(at, text.Value.Length));
        return replaced.ToText();

        int Next(int unit) => unit + (char.IsHighSurrogate(text.Value[unit]) && unit + 1 < text.Value.Length ? 2 : 1);
    }

    private static MarkedText Strip(MarkedText text, JinjaCallArguments arguments, bool atStart, bool atEnd)
    {
        var characters = arguments.Only("strip", "chars");
        return text.Trim(
            characters is null || characters == JinjaCallArguments.Absent
                ? null
                : JinjaContext.AsText(characters, "strip").Value,
            atStart, atEnd);
    }

    private static object Bare(JinjaCallArguments arguments, Func<object> compute)
    {
        arguments.Bind("the method", 0);
        return compute();
    }

    private static string Text(JinjaCallArguments arguments, string name) =>
        JinjaContext.AsText(arguments.Bind(name, 1, "text")[0], name).Value;

    private static bool Affix(JinjaCallArguments arguments, string name, Func<string, StringComparison, bool> has) =>
        arguments.Bind(name, 1, "text")[0] is JinjaList { IsTuple: true } several
            ? several.Items.Any(item => has(JinjaContext.AsText(item, name).Value, StringComparison.Ordinal))
            : has(Text(arguments, name), StringComparison.Ordinal);

    private static long Find(
        JinjaContext context, MarkedText text, JinjaCallArguments arguments, string name, bool isLast)
    {
        var bound = arguments.Bind(name, 1, "sub", "start", "end");
        var sought = JinjaContext.AsText(bound[0], name).Value;
        var (from, to) = (Place(bound[1], 0), Place(bound[2], text.Length));
        if (from > to)
        {
            return -1;
        }

        context.Budget.Charge(text.Value.Length, 0);
        var start = text.UnitAt(from);
        var part = text.Value[start..text.UnitAt(to)];
        var found = isLast
            ? part.LastIndexOf(sought, StringComparison.Ordinal)
            : part.IndexOf(sought, StringComparison.Ordinal);
        return found < 0 ? -1 : text.CodePointAt(start + found);

        int Place(object? value, int otherwise)
        {
            if (value is null || value == JinjaCallArguments.Absent)
            {
                return otherwise;
            }

            var at = JinjaContext.AsWhole(value, name);
            return (int)Math.Clamp(at < 0 ? at + text.Length : at, 0, text.Length);
        }
    }

    private static long Found(long place) =>
        place >= 0 ? place : throw new JinjaFault("the text to find is not there");

    private static long Count(JinjaContext context, MarkedText text, JinjaCallArguments arguments)
    {
        var sought = Text(arguments, "count");
        context.Budget.Charge(text.Value.Length, 0);
        if (sought.Length == 0)
        {
            return text.Length + 1;
        }

        var count = 0L;
        for (var at = text.Value.IndexOf(sought, StringComparison.Ordinal);
             at >= 0;
             at = text.Value.IndexOf(sought, at + sought.Length, StringComparison.Ordinal))
        {
            count++;
        }

        return count;
    }

    private static bool All(MarkedText text, Func<char, bool> has) => text.Value.Length > 0 && text.Value.All(has);
}
