using SafeLlama.Common;

namespace SafeLlama.Cli.Endings;

/// <summary>Tables and lines for people: at most 100 columns, without color.</summary>
internal static class PeopleTable
{
    public const int Width = 100;

    /// <summary>A long heading breaks at spaces into lines of about this many columns.</summary>
    private const int HeadingWidth = 14;

    private const int Narrowest = 6;

    private const string Gap = "  ";

    /// <summary>The lines of a table. Headings break at spaces; the widest names lose their middle.</summary>
    /// <param name="header">One heading per column.</param>
    /// <param name="rows">Cells; text from files is escaped here.</param>
    /// <param name="texts">The columns that hold names, which may be shortened. Numbers never are.</param>
    public static IEnumerable<string> Lines(string[] header, IEnumerable<string[]> rows, params int[] texts)
    {
        string[][] body = [.. rows.Select(row => (string[])[.. row.Select(SafeText.ForTerminalCell)])];
        var widths = header.Select((_, c) => body.Select(row => row[c].Length).Append(0).Max()).ToArray();
        string[][] headings =
            [.. header.Select((h, c) => Broken(SafeText.ForTerminalCell(h), Math.Max(widths[c], HeadingWidth)))];
        int WidthOf(int c) => Math.Max(widths[c], headings[c].Max(line => line.Length));
        while (header.Select((_, c) => WidthOf(c)).Sum() + Gap.Length * (header.Length - 1) > Width
            && texts.Where(c => widths[c] > Narrowest).OrderByDescending(c => widths[c]).ToArray() is [var widest, ..])
        {
            widths[widest]--;
            headings[widest] = Broken(SafeText.ForTerminalCell(header[widest]), widths[widest]);
        }

        string Line(IEnumerable<string> cells) => string.Join(
            Gap, cells.Select((cell, c) => Shortened(cell, WidthOf(c)).PadRight(WidthOf(c)))).TrimEnd();
        var height = headings.Max(h => h.Length);
        return
        [
            .. Enumerable.Range(0, height).Select(i => Line(headings.Select(h => h.ElementAtOrDefault(i) ?? ""))),
            .. body.Select(Line),
        ];
    }

    /// <summary>A sentence on as many lines as it needs.</summary>
    /// <param name="text">Text from files is escaped here.</param>
    /// <param name="indent">Spaces before every line but the first.</param>
    public static IEnumerable<string> Wrapped(string text, int indent = 2) =>
        Broken(SafeText.ForTerminalCell(text), Width - indent)
            .Select((line, i) => i == 0 ? line : new string(' ', indent) + line);

    /// <summary>Breaks at spaces; a word that is too long is cut, so that no line is wider.</summary>
    private static string[] Broken(string text, int width)
    {
        var lines = new List<string> { "" };
        foreach (var word in text.Split(' ').SelectMany(w => w.Length <= width
            ? [w]
            : w.Chunk(width).Select(part => new string(part))))
        {
            if (lines[^1].Length > 0 && lines[^1].Length + 1 + word.Length > width)
            {
                lines.Add(word);
            }
            else
            {
                lines[^1] += (lines[^1].Length > 0 ? " " : "") + word;
            }
        }

        return [.. lines];
    }

    /// <summary>Loses the middle, so that names which differ at an end stay apart.</summary>
    private static string Shortened(string text, int width)
    {
        var kept = width - 1;
        return text.Length <= width ? text : text[..(kept - kept / 2)] + "…" + text[^(kept / 2)..];
    }
}
