using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace SafeLlama.Common;

/// <summary>Escapes untrusted text for each output form, so that the text is shown and has no other effect.</summary>
/// <remarks>
/// Names, prompts and answers come from files. Writers use one function per form, so that a terminal receives no escape
/// sequence, a table keeps its cells, a page keeps its markup, and a spreadsheet runs no formula. Characters that would
/// hide or rearrange text (controls, bidirectional marks, line separators) are shown by their number.
/// </remarks>
public static partial class SafeText
{
    /// <summary>
    /// For a terminal: ESC as ␛, a bidirectional mark as \u202e, which keeps JSON the JSON it was. Line breaks and tabs
    /// stay.
    /// </summary>
    public static string ForTerminal(string text)
    {
        var shown = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            _ = c switch
            {
                '\n' or '\t' => shown.Append(c),
                < ' ' => shown.Append((char)('\u2400' + c)),
                '\u007f' => shown.Append('\u2421'),
                _ when Rearranges(c) => shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => shown.Append(c),
            };
        }

        return shown.ToString();
    }

    /// <summary>For one cell of a table on a terminal: line breaks and tabs are shown too.</summary>
    public static string ForTerminalCell(string text) =>
        ForTerminal(text).Replace('\n', '\u240a').Replace('\t', '\u2409');

    /// <summary>For a cell or a line of Markdown: no cell ends, no markup, no link, no HTML, one line.</summary>
    public static string ForMarkdown(string text)
    {
        var line = Shown(text).ReplaceLineEndings(" ").Replace('\n', ' ').Replace('\t', ' ');
        return MarkdownMark().Replace(WithEntities(line), "\\$0");
    }

    /// <summary>For a cell of CSV: one line, and no formula even behind a hidden sign.</summary>
    /// <remarks>
    /// Spreadsheets skip white space before a sign, and some read full-width signs and zero-width characters away. Such
    /// a cell gets an apostrophe, which spreadsheets take as "text follows". Plain numbers stay numbers.
    /// </remarks>
    public static string ForCsv(string text)
    {
        var line = Shown(text.ReplaceLineEndings("⏎").Replace('\n', '⏎').Replace('\t', ' '));
        var first = text.EnumerateRunes().FirstOrDefault(rune => !IsSkipped(rune), new Rune(' '));
        var starts = first.Value is '=' or '+' or '-' or '@' or '|' or '%' or 0xff1d or 0xff0b or 0xff0d or 0xff20
            or 0xff5c or 0xff05 or 0x2212 or 0xfe63 or 0xfe62 or 0xfe66;
        return starts && !double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _)
            ? "'" + line
            : line;
    }

    /// <summary>For text or an attribute of HTML.</summary>
    public static string ForHtml(string text) => WebUtility.HtmlEncode(Shown(text));

    /// <summary>A finished page in which characters that hide or rearrange text are shown by their number.</summary>
    public static string ForHtmlPage(string html) => CharacterReference().Replace(Shown(html), match =>
        Rune.TryCreate(Convert.ToInt32(match.Groups[1].Value, 16), out var rune) && IsHidden(rune) && rune.Value != '\n'
            ? Mark(rune)
            : match.Value);

    /// <summary>The text with controls, format characters and line separators as ⟨U+202E⟩; line breaks and tabs
    /// stay.</summary>
    public static string Shown(string text)
    {
        var shown = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            _ = IsHidden(rune) && rune.Value is not ('\n' or '\t')
                ? shown.Append(Mark(rune))
                : shown.Append(rune.ToString());
        }

        return shown.ToString();
    }

    private static string Mark(Rune rune) => $"⟨U+{rune.Value:X4}⟩";

    private static bool IsHidden(Rune rune) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control
        or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.PrivateUse;

    private static bool IsSkipped(Rune rune) => IsHidden(rune) || Rune.IsWhiteSpace(rune)
        || rune.Value is '"' or '\'' or 0x3164 or 0x115f or 0x1160 or 0xffa0;

    /// <summary>C1 controls, bidirectional marks, separators and the byte order mark. Joiners stay: scripts and emoji
    /// need them.</summary>
    private static bool Rearranges(char c) => c is >= '\u0080' and <= '\u009f' or '\u061c' or '\u200e' or '\u200f'
        or (>= '\u2028' and <= '\u202e') or (>= '\u2066' and <= '\u2069') or '\ufeff';

    private static string WithEntities(string text) => text
        .Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal);

    /// <summary>Marks of tables, code, emphasis, links and images; an underscore within a word is none.</summary>
    [GeneratedRegex(@"[|`*\[\]\\]|(?<!\w)_|_(?!\w)|^[#=+-]")]
    private static partial Regex MarkdownMark();

    [GeneratedRegex("&#x([0-9A-Fa-f]{1,6});")]
    private static partial Regex CharacterReference();
}
