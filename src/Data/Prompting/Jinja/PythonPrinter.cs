using System.Globalization;
using System.Text;

namespace SafeLlama.Data;

/// <summary>Values as Python prints them: <c>str</c> and <c>repr</c>.</summary>
internal sealed class PythonPrinter(JinjaBudget budget)
{
    /// <summary>Python's <c>str</c>.</summary>
    public MarkedText Text(object? value)
    {
        if (value is MarkedText text)
        {
            return text;
        }

        if (value is JinjaUndefined)
        {
            return MarkedText.Empty;
        }

        var written = new MarkedTextBuilder(budget);
        Write(value, written);
        return written.ToText();
    }

    /// <summary>Python's <c>repr</c>.</summary>
    public void Write(object? value, MarkedTextBuilder into)
    {
        budget.Enter();
        switch (value)
        {
            case null:
                into.Append("None");
                break;
            case bool truth:
                into.Append(truth ? "True" : "False");
                break;
            case long whole:
                into.Append(whole.ToString(CultureInfo.InvariantCulture));
                break;
            case double number:
                into.Append(PythonNumbers.Print(number));
                break;
            case MarkedText text:
                WriteQuoted(text, into);
                break;
            case JinjaUndefined:
                into.Append("Undefined");
                break;
            case JinjaList list:
                WriteItems(list.IsTuple ? "(" : "[", list.Items, list switch
                {
                    { IsTuple: true, Items.Count: 1 } => ",)",
                    { IsTuple: true } => ")",
                    _ => "]",
                }, into);
                break;
            case JinjaDict dict:
                WriteDict(dict, into);
                break;
            default:
                throw new JinjaFault($"{PythonRules.TypeName(value)} has no text");
        }

        budget.Leave();
    }

    private void WriteItems(string open, IReadOnlyList<object?> items, string close, MarkedTextBuilder into)
    {
        into.Append(open);
        for (var i = 0; i < items.Count; i++)
        {
            into.Append(i > 0 ? ", " : "");
            Write(items[i], into);
        }

        into.Append(close);
    }

    private void WriteDict(JinjaDict dict, MarkedTextBuilder into)
    {
        var separator = "{";
        foreach (var (key, value) in dict.Items)
        {
            into.Append(separator);
            Write(JinjaKeys.Value(key), into);
            into.Append(": ");
            Write(value, into);
            separator = ", ";
        }

        into.Append(dict.Count == 0 ? "{}" : "}");
    }

    private static void WriteQuoted(MarkedText text, MarkedTextBuilder into)
    {
        var quote = text.Value.Contains('\'', StringComparison.Ordinal)
            && !text.Value.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        into.Append(quote, MarkedText.Template);
        for (var unit = 0; unit < text.Value.Length;)
        {
            var isRune = Rune.TryGetRuneAt(text.Value, unit, out var rune);
            var length = isRune ? rune.Utf16SequenceLength : 1;
            var escaped = Escape(text.Value[unit], isRune ? rune : null, quote);
            if (escaped is not null)
            {
                into.Append(escaped, text.Origin(unit));
            }
            else
            {
                into.Append(text.Units(unit, unit + length));
            }

            unit += length;
        }

        into.Append(quote, MarkedText.Template);
    }

    /// <summary>How Python writes a character inside quotes; null where it stands as it is.</summary>
    private static string? Escape(char c, Rune? rune, char quote)
    {
        if (c == quote || c == '\\')
        {
            return "\\" + c;
        }

        if (c is '\n' or '\r' or '\t')
        {
            return c switch { '\n' => "\\n", '\r' => "\\r", _ => "\\t" };
        }

        if (c == ' ' || (rune is { } whole && IsPrintable(whole)))
        {
            return null;
        }

        var code = rune?.Value ?? c;
        return code < 0x100 ? $"\\x{code:x2}" : code < 0x10000 ? $"\\u{code:x4}" : $"\\U{code:x8}";
    }

    private static bool IsPrintable(Rune rune) => Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.SpaceSeparator);
}
