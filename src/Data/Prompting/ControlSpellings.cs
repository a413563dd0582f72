namespace SafeLlama.Data;

/// <summary>Finds the control tokens that a template wrote; the same characters in a message are text.</summary>
internal sealed class ControlSpellings(IEnumerable<string> spellings)
{
    /// <summary>By first character, the longest first, as Hugging Face's tokenizers match them.</summary>
    private readonly Dictionary<char, string[]> _byStart = spellings.Where(spelling => spelling.Length > 0)
        .GroupBy(spelling => spelling[0])
        .ToDictionary(group => group.Key, group => group.OrderByDescending(spelling => spelling.Length).ToArray());

    /// <summary>The control token that begins at a place; null for none.</summary>
    public string? At(MarkedText text, int place) =>
        text.Origin(place) == MarkedText.Template && _byStart.TryGetValue(text.Value[place], out var candidates)
            ? Array.Find(candidates, spelling => string.CompareOrdinal(
                text.Value, place, spelling, 0, spelling.Length) == 0 && IsPlain(text, place, spelling.Length))
            : null;

    private static bool IsPlain(MarkedText text, int place, int length)
    {
        for (var i = place; i < place + length; i++)
        {
            if (text.Origin(i) != MarkedText.Template)
            {
                return false;
            }
        }

        return true;
    }
}
