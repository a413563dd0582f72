using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>How a data file is stored.</summary>
public enum RowFormat
{
    Json,
    JsonLines,
    Csv,
    Parquet,
    Text,
}

/// <summary>A data file read into rows of named fields, with its faults.</summary>
/// <remarks>
/// JSON (an array of objects, one object of columns, or an object around an array), JSONL, CSV, Parquet and plain text;
/// any of them gzipped. Text is UTF-8. Readers that interpret the rows, such as <see cref="ExampleFile"/>, use this
/// one.
/// </remarks>
/// <param name="Path">The file, as the user named it.</param>
/// <param name="Format">How it is stored.</param>
/// <param name="Sha256">Hash of the file's bytes, for manifests.</param>
/// <param name="Rows">The rows that could be read.</param>
/// <param name="Faults">The faults of the others.</param>
/// <param name="Notes">Remarks on ignored content, such as a byte order mark.</param>
public sealed record RowFile(
    string Path,
    RowFormat Format,
    string Sha256,
    IReadOnlyList<RawRow> Rows,
    IReadOnlyList<DataFault> Faults,
    IReadOnlyList<string> Notes)
{
    /// <summary>Reads a file and keeps its faults beside its rows.</summary>
    /// <param name="path">The file; its ending tells the format (<c>.gz</c> may follow).</param>
    /// <param name="onePerLine">A text file holds one row a line, rather than documents parted by blank lines.</param>
    /// <exception cref="SafeLlamaException">The file is missing, cannot be read, or its ending is unknown.</exception>
    public static RowFile Inspect(string path, bool onePerLine = false)
    {
        var bytes = FileBytes.Read(path);
        var format = FormatOf(path);
        var found = new RowCollector(path);
        if (bytes.Fault is { } fault)
        {
            found.Fault(1, "", fault);
            return found.ToFile(format, bytes.Sha256);
        }

        if (format == RowFormat.Parquet)
        {
            ParquetRows.Read(bytes.Content, found);
            return found.ToFile(format, bytes.Sha256);
        }

        var text = Utf8Text.Check(bytes.Content, found);
        switch (format)
        {
            case RowFormat.Json:
                JsonRows.Read(text, found);
                break;
            case RowFormat.JsonLines:
                JsonLineRows.Read(text, found);
                break;
            case RowFormat.Csv:
                CsvRows.Read(text, found);
                break;
            default:
                TextRows.Read(text, onePerLine, found);
                break;
        }

        return found.ToFile(format, bytes.Sha256);
    }

    /// <summary>Reads a file without faults.</summary>
    /// <exception cref="SafeLlamaException">
    /// As <see cref="Inspect"/>, or the file has faults: all are named.
    /// </exception>
    public static RowFile Read(string path, bool onePerLine = false)
    {
        var file = Inspect(path, onePerLine);
        return file.Faults.Count == 0 ? file : throw SafeLlamaException.InvalidData(DataFaults.Report(file.Faults));
    }

    private static RowFormat FormatOf(string path)
    {
        var name = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path;
        return System.IO.Path.GetExtension(name).ToLowerInvariant() switch
        {
            ".json" => RowFormat.Json,
            ".jsonl" or ".ndjson" => RowFormat.JsonLines,
            ".csv" or ".tsv" => RowFormat.Csv,
            ".parquet" => RowFormat.Parquet,
            ".txt" => RowFormat.Text,
            var ending => throw SafeLlamaException.Usage(
                $"{path}: the ending '{ending}' names no known format; expected .json, .jsonl, .csv, .tsv, .parquet or "
                + ".txt, "
                + "or one of these with .gz."),
        };
    }
}

/// <summary>Collects the rows and faults of one reader.</summary>
internal sealed class RowCollector(string path)
{
    private readonly List<RawRow> _rows = [];
    private readonly List<DataFault> _faults = [];
    private readonly List<string> _notes = [];

    public int Count => _rows.Count;

    public IReadOnlyList<DataFault> Faults => _faults;

    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Adds a row; rows come in the order of their lines.</summary>
    public void Row(int line, IReadOnlyDictionary<string, System.Text.Json.JsonElement> fields)
    {
        var shares = _rows is [.., { } last] && last.Line == line;
        if (shares)
        {
            _rows[^1] = _rows[^1] with { SharesLine = true };
        }

        _rows.Add(new RawRow(_rows.Count + 1, line, fields) { SharesLine = shares });
    }

    public void Fault(int line, string field, string reason) =>
        _faults.Add(new DataFault(new RowSource(path, line), field, reason));

    public void Note(string note) => _notes.Add($"{path}: {note}");

    public RowFile ToFile(RowFormat format, string sha256)
    {
        if (_rows.Count == 0 && _faults.Count == 0)
        {
            Fault(1, "", "holds no rows.");
        }

        return new RowFile(path, format, sha256, _rows, [.. _faults.OrderBy(fault => fault.Source.Line)], _notes);
    }
}
