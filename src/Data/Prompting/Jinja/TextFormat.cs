namespace SafeLlama.Data;

/// <summary>The two ways to put values into a string: <c>'{}'.format(a)</c> and <c>'%s' % a</c>.</summary>
/// <remarks>Widths, precisions and conversions are refused; <c>%s</c>, <c>%d</c> and <c>%%</c> are known.</remarks>
internal static class TextFormat
{
    public static object Braces(JinjaContext context, MarkedText format, JinjaCallArguments arguments)
    {
        var made = context.NewText();
        var next = 0;
        for (var i = 0; i < format.Value.Length; i++)
        {
            var c = format.Value[i];
            if (c is not ('{' or '}'))
            {
                made.Append(c, format.Origin(i));
                continue;
            }

            if (i + 1 < format.Value.Length && format.Value[i + 1] == c)
            {
                made.Append(c, format.Origin(i++));
                continue;
            }

            var end = c == '{' ? format.Value.IndexOf('}', i) : -1;
            if (end < 0)
            {
                throw new JinjaFault("a brace in the text of format has no partner");
            }

            made.Append(context.Printer.Text(Field(format.Value[(i + 1)..end], arguments, ref next)));
            i = end;
        }

        return made.ToText();
    }

    public static MarkedText Percent(JinjaContext context, MarkedText format, object? values)
    {
        var items = values is JinjaList { IsTuple: true } tuple ? tuple.Items : [values];
        var made = context.NewText();
        var next = 0;
        for (var i = 0; i < format.Value.Length; i++)
        {
            if (format.Value[i] != '%')
            {
                made.Append(format.Value[i], format.Origin(i));
                continue;
            }

            switch (++i < format.Value.Length ? format.Value[i] : '\0')
            {
                case '%':
                    made.Append('%', format.Origin(i));
                    break;
                case 's':
                    made.Append(context.Printer.Text(Next()));
                    break;
                case 'd' when Next() is var number && PythonNumbers.ToWhole(number) is { } whole:
                    made.Append(context.Printer.Text(whole));
                    break;
                default:
                    throw new JinjaFault("'%' knows %s, %d with a whole number, and %% alone");
            }
        }

        return next == items.Count || values is JinjaDict or JinjaList { IsTuple: false }
            ? made.ToText()
            : throw new JinjaFault($"'%' uses {next} values, found {items.Count}");

        object? Next() => next < items.Count ? items[next++] : throw new JinjaFault("'%' is given too few values");
    }

    private static object? Field(string name, JinjaCallArguments arguments, ref int next)
    {
        if (name.Length == 0)
        {
            name = (next++).ToString();
        }
        else if (next > 0 && name.All(char.IsAsciiDigit))
        {
            throw new JinjaFault("format mixes {} and numbered fields");
        }

        if (name.All(char.IsAsciiDigit) && int.TryParse(name, out var place))
        {
            return place < arguments.Positional.Count
                ? arguments.Positional[place]
                : throw new JinjaFault($"format has no value number {place}");
        }

        var found = arguments.Named.FirstOrDefault(argument => argument.Name == name);
        return found.Name is not null
            ? found.Value
            : throw new JinjaFault($"format has no value for '{{{UnicodeText.Shown(name)}}}'; widths and the like are "
                + "not supported");
    }
}
