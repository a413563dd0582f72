namespace SafeLlama.Data;

/// <summary>Turns offsets into a source to lines and columns.</summary>
internal sealed class JinjaPlaces
{
    private readonly List<int> _lines = [0];

    public JinjaPlaces(string source)
    {
        for (var i = source.IndexOf('\n'); i >= 0; i = source.IndexOf('\n', i + 1))
        {
            _lines.Add(i + 1);
        }
    }

    public JinjaPlace Of(int offset)
    {
        var found = _lines.BinarySearch(offset);
        var line = found < 0 ? ~found - 1 : found;
        return new JinjaPlace(line + 1, offset - _lines[line] + 1);
    }
}
