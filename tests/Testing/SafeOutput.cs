using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace SafeLlama.Testing;

/// <summary>What no output may hold, whatever names the files gave.</summary>
public static partial class SafeOutput
{
    /// <summary>Names that try to be more than names.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "\u001b[31mred\u001b[0m", "\u001b]0;title\u0007x", "\u202eevil", "a\u009b31mb", "\u2066a\u2069", "a\u2028b",
        "a|b", "line one\nline two", "a\r\nb", "<script>alert(1)</script>", "![x](http://h/y.png)", "[a](javascript:b)",
        "`code`", "=1+1", "+1+1", "-1+1", "@SUM(A1)", " =1+1", "\u00a0=1+1", "\uff1d1+1", "\u200b=1+1", "\ufeff@A1",
        "\t=1", "\"=1+1", "%0a", "&lt;b&gt;", "\\|", "# heading",
    ];

    /// <summary>No character obeys or rearranges; line breaks and tabs are the writer's own.</summary>
    public static void MustBeVisible(string output)
    {
        var hidden = output.EnumerateRunes().Where(rune => rune.Value is not ('\n' or '\t')
            && Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator
            || rune.Value is (>= 0x202a and <= 0x202e) or (>= 0x2066 and <= 0x2069) or 0x200e or 0x200f or 0xfeff)
            .Select(rune => $"U+{rune.Value:X4}").Distinct();
        Assert.That(hidden, Is.Empty);
    }

    /// <summary>Tables keep their columns, and there is no HTML, link or image.</summary>
    public static void MustBeMarkdown(string output)
    {
        MustBeVisible(output);
        Assert.That(output, Does.Not.Contain("<script").IgnoreCase);
        Assert.That(Link().IsMatch(output), Is.False, "a link or an image");
        var columns = 0;
        foreach (var line in output.Split('\n'))
        {
            var bars = Bar().Count(line);
            var row = line.StartsWith('|');
            Assert.That(bars, row && columns > 0 ? Is.EqualTo(columns) : row ? Is.GreaterThan(0) : Is.Zero, line);
            columns = row ? bars : 0;
        }
    }

    /// <summary>One line a row, as many cells as the header, and no cell a spreadsheet would run.</summary>
    public static void MustBeCsv(string output)
    {
        MustBeVisible(output);
        var rows = output.TrimEnd('\n').Split('\n').Select(Cells).ToArray();
        Assert.That(rows.Select(row => row.Count), Is.All.EqualTo(rows[0].Count));
        foreach (var cell in rows.Skip(1).SelectMany(row => row))
        {
            var start = cell.Normalize(NormalizationForm.FormKC).Replace('\uff1d', '=').TrimStart('\u200b', ' ', '\t');
            Assert.That(
                start.Length > 0 && "=+-@|%".Contains(start[0])
                    && !double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out _),
                Is.False, cell);
        }
    }

    private static List<string> Cells(string line) =>
        [.. Cell().Matches("," + line).Select(m => m.Groups[1].Value.Trim('"').Replace("\"\"", "\""))];

    [GeneratedRegex(@"(?<!\\)(?:\\\\)*\|")]
    private static partial Regex Bar();

    [GeneratedRegex(@"(?<!\\)\[[^\]\n]*(?<!\\)\]\(")]
    private static partial Regex Link();

    [GeneratedRegex("""
        ,("(?:[^"]|"")*"|[^,"]*)
        """)]
    private static partial Regex Cell();
}
