namespace SafeLlama.Data;

/// <summary>A place in a template's source, counted from 1.</summary>
internal readonly record struct JinjaPlace(int Line, int Column)
{
    public override string ToString() => $"line {Line}, column {Column}";
}
