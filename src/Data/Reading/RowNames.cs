namespace SafeLlama.Data;

/// <summary>The ids of a file's rows: each row's own, or its place in the file; no two are the same.</summary>
internal sealed class RowNames(string path)
{
    private readonly Dictionary<string, int> _lineOfId = new(StringComparer.Ordinal);

    public string Of(RowFields fields)
    {
        var given = fields.IdText();
        if (given.Length == 0)
        {
            return $"{Path.GetFileName(path)}#{fields.Row.Number}";
        }

        if (!_lineOfId.TryAdd(given, fields.Row.Line))
        {
            fields.Fault("id", $"\"{given}\" already names the row of line {_lineOfId[given]}.");
        }

        return given;
    }
}
