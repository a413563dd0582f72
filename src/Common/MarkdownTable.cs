using System.Text;

namespace SafeLlama.Common;

/// <summary>Writes a table of Markdown.</summary>
public static class MarkdownTable
{
    /// <param name="text">What the table is appended to.</param>
    /// <param name="columns">Titles, separated by bars; a column of numbers ends in a colon.</param>
    /// <param name="rows">A cell per column; untrusted text must be escaped.</param>
    public static void Append(StringBuilder text, string columns, IEnumerable<string[]> rows)
    {
        var titles = columns.Split('|');
        Line(text, titles.Select(title => title.TrimEnd(':')));
        text.Append('|').AppendJoin('|', titles.Select(title => title.EndsWith(':') ? "---:" : "---")).Append("|\n");
        foreach (var row in rows)
        {
            Line(text, row);
        }
    }

    /// <summary>The table alone.</summary>
    public static string Of(string columns, IEnumerable<string[]> rows)
    {
        var text = new StringBuilder();
        Append(text, columns, rows);
        return text.ToString();
    }

    private static void Line(StringBuilder text, IEnumerable<string> cells) =>
        text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
}
