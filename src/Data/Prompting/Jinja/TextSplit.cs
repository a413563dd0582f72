namespace SafeLlama.Data;

/// <summary>The methods that cut strings.</summary>
internal static class TextSplit
{
    public static JinjaList Split(JinjaContext context, MarkedText text, JinjaCallArguments arguments, bool isLast)
    {
        var bound = arguments.Bind("split", 0, "sep", "maxsplit");
        var most = bound[1] == JinjaCallArguments.Absent ? -1 : JinjaContext.AsWhole(bound[1], "split");
        most = most < 0 ? long.MaxValue : most;
        List<MarkedText> parts;
        if (bound[0] is null || bound[0] == JinjaCallArguments.Absent)
        {
            parts = isLast ? WordsFromEnd(text, most) : Words(text, most);
        }
        else
        {
            var separator = JinjaContext.AsText(bound[0], "split").Value;
            parts = separator.Length == 0 ? throw new JinjaFault("the separator of split is empty")
                : isLast ? PartsFromEnd(text, separator, most)
                : Parts(text, separator, most);
        }

        context.Budget.Step(parts.Count);
        return new JinjaList([.. parts]);
    }

    public static JinjaList Lines(JinjaContext context, MarkedText text, JinjaCallArguments arguments)
    {
        var keeps = arguments.Only("splitlines", "keepends") is var asked
            && asked != JinjaCallArguments.Absent && PythonRules.IsTrue(asked);
        var lines = new List<object?>();
        var start = 0;
        for (var i = 0; i < text.Value.Length; i++)
        {
            if (IsLineEnd(text.Value[i]))
            {
                var end = i;
                i += text.Value[i] == '\r' && i + 1 < text.Value.Length && text.Value[i + 1] == '\n' ? 1 : 0;
                lines.Add(text.Units(start, keeps ? i + 1 : end));
                start = i + 1;
            }
        }

        if (start < text.Value.Length)
        {
            lines.Add(text.Units(start, text.Value.Length));
        }

        context.Budget.Step(lines.Count);
        return new JinjaList(lines);
    }

    public static JinjaList Partition(MarkedText text, JinjaCallArguments arguments, bool isLast)
    {
        var separator = JinjaContext.AsText(arguments.Bind("partition", 1, "sep")[0], "partition").Value;
        if (separator.Length == 0)
        {
            throw new JinjaFault("the separator of partition is empty");
        }

        var at = isLast
            ? text.Value.LastIndexOf(separator, StringComparison.Ordinal)
            : text.Value.IndexOf(separator, StringComparison.Ordinal);
        object?[] parts = at >= 0
            ?
            [
                text.Units(0, at),
                text.Units(at, at + separator.Length),
                text.Units(at + separator.Length, text.Value.Length),
            ]
            : isLast ? [MarkedText.Empty, MarkedText.Empty, text] : [text, MarkedText.Empty, MarkedText.Empty];
        return new JinjaList(parts, IsTuple: true);
    }

    private static bool IsLineEnd(char c) =>
        c is '\n' or '\r' or '\v' or '\f' or (>= '\x1c' and <= '\x1e') or '\x85' or '\u2028' or '\u2029';

    private static List<MarkedText> Parts(MarkedText text, string separator, long most)
    {
        var parts = new List<MarkedText>();
        var start = 0;
        while (parts.Count < most
            && text.Value.IndexOf(separator, start, StringComparison.Ordinal) is var at and >= 0)
        {
            parts.Add(text.Units(start, at));
            start = at + separator.Length;
        }

        parts.Add(text.Units(start, text.Value.Length));
        return parts;
    }

    private static List<MarkedText> PartsFromEnd(MarkedText text, string separator, long most)
    {
        var parts = new List<MarkedText>();
        var end = text.Value.Length;
        while (parts.Count < most && end > 0
            && text.Value.LastIndexOf(separator, end - 1, end, StringComparison.Ordinal) is var at and >= 0)
        {
            parts.Add(text.Units(at + separator.Length, end));
            end = at;
        }

        parts.Add(text.Units(0, end));
        parts.Reverse();
        return parts;
    }

    private static List<MarkedText> Words(MarkedText text, long most)
    {
        var words = new List<MarkedText>();
        var at = 0;
        while (Skip(text, ref at, isSpace: true))
        {
            var start = at;
            if (words.Count == most)
            {
                words.Add(text.Units(start, text.Value.Length).Trim(null, atStart: false, atEnd: true));
                break;
            }

            Skip(text, ref at, isSpace: false);
            words.Add(text.Units(start, at));
        }

        return words;
    }

    private static List<MarkedText> WordsFromEnd(MarkedText text, long most)
    {
        var words = new List<MarkedText>();
        var end = PythonText.EndWithoutSpace(text.Value, text.Value.Length);
        while (end > 0)
        {
            if (words.Count == most)
            {
                words.Add(text.Units(0, end).Trim(null, atStart: true, atEnd: false));
                break;
            }

            var start = end;
            while (start > 0 && !PythonText.IsSpace(text.Value[start - 1]))
            {
                start--;
            }

            words.Add(text.Units(start, end));
            end = PythonText.EndWithoutSpace(text.Value, start);
        }

        words.Reverse();
        return words;
    }

    /// <summary>Goes over white space, or over what is none; false at the end of the text.</summary>
    private static bool Skip(MarkedText text, ref int at, bool isSpace)
    {
        while (at < text.Value.Length && PythonText.IsSpace(text.Value[at]) == isSpace)
        {
            at++;
        }

        return at < text.Value.Length;
    }
}
