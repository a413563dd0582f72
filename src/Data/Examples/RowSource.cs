namespace SafeLlama.Data;

/// <summary>Where a row came from: the file as the user named it, and the line it begins on, counted from 1.</summary>
/// <remarks>Parquet has no lines; there it is the number of the row.</remarks>
public readonly record struct RowSource(string File, int Line)
{
    /// <summary>The row's place in the file, from 1, where its line holds more than one; else null.</summary>
    public int? Row { get; init; }

    /// <summary>"3", or "1, row 2" where a line holds several rows.</summary>
    public string Place => Row is { } row ? $"{Line}, row {row}" : $"{Line}";

    public override string ToString() => $"{File}:{Place}";
}
