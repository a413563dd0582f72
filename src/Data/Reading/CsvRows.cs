using System.Text.Json;
using CsvHelper;

namespace SafeLlama.Data;

/// <summary>
/// CSV with a header (RFC 4180), parted by commas, semicolons or tabs: quoted fields may hold commas, quotes and line
/// ends of either kind.
/// </summary>
internal static class CsvRows
{
    public static void Read(ReadOnlyMemory<byte> text, RowCollector found)
    {
        var options = new CsvReaderOptions
        {
            Separator = Separator(text.Span),
            HasHeader = false,
            TrackLineNumbers = true,
            MalformedData = CsvMalformedDataHandling.Skip,
            OnMalformedRecord = record => found.Fault((int)record.LineNumber, "", Reason(record.Reason)),
        };
        using var csv = CsvReader.Create(text, options);
        string[]? header = null;
        try
        {
            while (csv.Read())
            {
                var line = (int)csv.LineNumber;
                if (header is null)
                {
                    header = Header(csv, found);
                }
                else if (csv.FieldCount != header.Length)
                {
                    found.Fault(line, "", $"has {csv.FieldCount} fields, expected {header.Length} as the header has.");
                }
                else
                {
                    found.Row(line, Fields(header, csv));
                }
            }
        }
        catch (CsvFormatException e)
        {
            found.Fault((int)Math.Max(1, e.LineNumber), "", "is not CSV: " + e.Message.ReplaceLineEndings(" "));
        }
    }

    /// <summary>The separator that parts the header: a comma, or what spreadsheets of other countries save.</summary>
    private static char Separator(ReadOnlySpan<byte> text)
    {
        int commas = 0, semicolons = 0, tabs = 0;
        var quoted = false;
        foreach (var c in text)
        {
            if (!quoted && c is (byte)'\n' or (byte)'\r')
            {
                break;
            }

            quoted ^= c == '"';
            commas += !quoted && c == ',' ? 1 : 0;
            semicolons += !quoted && c == ';' ? 1 : 0;
            tabs += !quoted && c == '\t' ? 1 : 0;
        }

        return commas > 0 || semicolons + tabs == 0 ? ',' : semicolons >= tabs ? ';' : '\t';
    }

    private static string[] Header(CsvReader csv, RowCollector found)
    {
        var names = new string[csv.FieldCount];
        for (var i = 0; i < names.Length; i++)
        {
            names[i] = csv.GetString(i) is { Length: > 0 } name ? name : $"(column {i + 1})";
            if (Array.IndexOf(names, names[i]) < i)
            {
                found.Fault((int)csv.LineNumber, names[i], "the header names this column twice.");
            }
        }

        return names;
    }

    private static Dictionary<string, JsonElement> Fields(string[] header, CsvReader csv)
    {
        var fields = new Dictionary<string, JsonElement>(header.Length, StringComparer.Ordinal);
        for (var i = 0; i < header.Length; i++)
        {
            fields[header[i]] = JsonSerializer.SerializeToElement(csv.GetString(i));
        }

        return fields;
    }

    private static string Reason(CsvMalformedReason reason) => reason switch
    {
        CsvMalformedReason.StrayQuote => "a quote stands inside a field that is not quoted.",
        CsvMalformedReason.TextAfterClosingQuote => "text follows the closing quote of a field.",
        CsvMalformedReason.UnterminatedQuote => "a quoted field is never closed; the rest of the file is inside it.",
        _ => $"is not CSV ({reason}).",
    };
}
