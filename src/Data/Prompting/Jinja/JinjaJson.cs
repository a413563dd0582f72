using System.Globalization;

namespace SafeLlama.Data;

/// <summary>The filter <c>tojson</c> as transformers has it: Python's <c>json.dumps</c>, no ASCII escapes.</summary>
internal sealed class JinjaJson(
    JinjaBudget budget, string? indent, MarkedText itemSeparator, MarkedText keySeparator, bool sortsKeys)
{
    private readonly MarkedTextBuilder _into = new(budget);

    /// <summary>The filter with its arguments.</summary>
    public static MarkedText Write(JinjaContext context, object? value, JinjaCallArguments arguments)
    {
        var bound = arguments.Bind(
            "the filter tojson", 0, "ensure_ascii", "indent", "separators", "sort_keys");
        if (bound[0] != JinjaCallArguments.Absent && PythonRules.IsTrue(bound[0]))
        {
            throw new JinjaFault("the filter tojson supports ensure_ascii=false alone");
        }

        var indent = bound[1] switch
        {
            null => null,
            MarkedText text => text.Value,
            var number when PythonNumbers.ToWhole(number) is { } width => Spaces(context, width),
            var other when other == JinjaCallArguments.Absent => null,
            _ => throw new JinjaFault("the filter tojson needs a whole number for indent"),
        };
        var (items, keys) = bound[2] switch
        {
            JinjaList { Items: [MarkedText first, MarkedText second] } => (first, second),
            null => Separators(),
            var other when other == JinjaCallArguments.Absent => Separators(),
            _ => throw new JinjaFault("the filter tojson needs two strings for separators"),
        };
        var sorts = bound[3] != JinjaCallArguments.Absent && PythonRules.IsTrue(bound[3]);
        var writer = new JinjaJson(context.Budget, indent, items, keys, sorts);
        writer.Write(value, 0);
        return writer._into.ToText();

        (MarkedText, MarkedText) Separators() =>
            (new MarkedText(indent is null ? ", " : ","), new MarkedText(": "));
    }

    private static string Spaces(JinjaContext context, long width)
    {
        context.Budget.Charge(width, width);
        return new string(' ', (int)Math.Max(width, 0));
    }

    private void Write(object? value, int depth)
    {
        budget.Enter();
        switch (value)
        {
            case null:
                _into.Append("null");
                break;
            case bool truth:
                _into.Append(truth ? "true" : "false");
                break;
            case long whole:
                _into.Append(whole.ToString(CultureInfo.InvariantCulture));
                break;
            case double number:
                _into.Append(Number(number));
                break;
            case MarkedText text:
                WriteQuoted(text);
                break;
            case JinjaList list:
                WriteGroup('[', ']', list.Items, depth, item => Write(item, depth + 1));
                break;
            case JinjaDict dict:
                WriteGroup('{', '}', Ordered(dict), depth, item => WriteField(item, depth + 1));
                break;
            default:
                throw new JinjaFault($"{PythonRules.TypeName(value)} cannot be written as JSON");
        }

        budget.Leave();
    }

    private static string Number(double number) => double.IsFinite(number) ? PythonNumbers.Print(number)
        : double.IsNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity";

    private List<(MarkedText Key, object? Value)> Ordered(JinjaDict dict)
    {
        var fields = dict.Items.Select(item => (Key: Key(JinjaKeys.Value(item.Key)), item.Value)).ToList();
        if (sortsKeys)
        {
            fields.Sort((a, b) => PythonText.Compare(a.Key.Value, b.Key.Value));
        }

        return fields;
    }

    private static MarkedText Key(object? key) => key switch
    {
        MarkedText text => text,
        null => new MarkedText("null"),
        bool truth => new MarkedText(truth ? "true" : "false"),
        long whole => new MarkedText(whole.ToString(CultureInfo.InvariantCulture)),
        double number => new MarkedText(Number(number)),
        _ => throw new JinjaFault($"{PythonRules.TypeName(key)} cannot be a key in JSON"),
    };

    private void WriteField((MarkedText Key, object? Value) field, int depth)
    {
        WriteQuoted(field.Key);
        _into.Append(keySeparator);
        Write(field.Value, depth);
    }

    private void WriteGroup<T>(char open, char close, IReadOnlyList<T> items, int depth, Action<T> write)
    {
        _into.Append(open, MarkedText.Template);
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0)
            {
                _into.Append(itemSeparator);
            }

            BreakLine(depth + 1);
            write(items[i]);
        }

        if (items.Count > 0)
        {
            BreakLine(depth);
        }

        _into.Append(close, MarkedText.Template);
    }

    private void BreakLine(int depth)
    {
        if (indent is not null)
        {
            _into.Append("\n");
            for (var i = 0; i < depth; i++)
            {
                _into.Append(indent);
            }
        }
    }

    private void WriteQuoted(MarkedText text)
    {
        _into.Append("\"");
        for (var i = 0; i < text.Value.Length; i++)
        {
            var c = text.Value[i];
            var escaped = c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\b' => "\\b",
                '\f' => "\\f",
                < ' ' => $"\\u{(int)c:x4}",
                _ => null,
            };
            if (escaped is null)
            {
                _into.Append(c, text.Origin(i));
            }
            else
            {
                _into.Append(escaped, text.Origin(i));
            }
        }

        _into.Append("\"");
    }
}
