using CsvHelper;
using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>A table as CSV text with a header and LF line ends.</summary>
internal static class CsvText
{
    /// <param name="header">The columns.</param>
    /// <param name="rows">One text per column.</param>
    /// <remarks>Every cell passes <see cref="SafeText.ForCsv"/>: people open these files in spreadsheets.</remarks>
    public static string Of(string[] header, IEnumerable<string[]> rows)
    {
        var options = new CsvWriterOptions
        {
            NewLine = "\n",
            Injection = CsvInjection.None,
        };
        using var text = new StringWriter();
        using (var csv = CsvWriter.Create(text, options))
        {
            csv.WriteRecord(header);
            foreach (var row in rows)
            {
                csv.WriteRecord([.. row.Select(SafeText.ForCsv)]);
            }
        }

        return text.ToString();
    }
}
