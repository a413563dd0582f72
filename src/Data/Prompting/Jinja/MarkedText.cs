namespace SafeLlama.Data;

/// <summary>A text with the origin of every character.</summary>
/// <remarks>
/// Origin 0 is the template, its special tokens included; origin k + 1 is the content of message k. Operations on
/// texts keep the origins, so a control token that a user typed is never taken for one that the template wrote.
/// Lengths and places are counted in code points, as Python counts them.
/// </remarks>
internal sealed class MarkedText
{
    /// <summary>The origin of everything that the template writes.</summary>
    public const short Template = 0;

    private readonly short[]? _origins;
    private readonly bool _hasSurrogates;
    private int _length = -1;

    /// <summary>A text of one origin.</summary>
    public MarkedText(string value, short origin = Template)
        : this(value, origin == Template ? null : Filled(value.Length, origin))
    {
    }

    /// <param name="value">The characters.</param>
    /// <param name="origins">[characters] the origin of each UTF-16 unit; null where all are the template's.</param>
    public MarkedText(string value, short[]? origins)
    {
        (Value, _origins) = (value, origins);
        _hasSurrogates = value.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF');
    }

    public static MarkedText Empty { get; } = new("");

    public string Value { get; }

    /// <summary>Code points.</summary>
    public int Length => _length >= 0 ? _length
        : _length = _hasSurrogates ? Value.Length - Pairs(Value.Length) : Value.Length;

    /// <summary>The characters that are read to find a place by its number.</summary>
    public int SearchCost => _hasSurrogates ? Value.Length : 1;

    /// <summary>True where every character is the template's.</summary>
    public bool IsPlain => _origins is null;

    /// <summary>The origin of a UTF-16 unit.</summary>
    public short Origin(int unit) => _origins is null ? Template : _origins[unit];

    /// <summary>The part between two UTF-16 places.</summary>
    public MarkedText Units(int start, int end) => start == 0 && end == Value.Length
        ? this
        : new MarkedText(Value[start..end], _origins?[start..end]);

    /// <summary>The UTF-16 place of a code point.</summary>
    public int UnitAt(int codePoint)
    {
        if (!_hasSurrogates)
        {
            return codePoint;
        }

        var unit = 0;
        for (var i = 0; i < codePoint; i++)
        {
            unit += IsPair(unit) ? 2 : 1;
        }

        return unit;
    }

    /// <summary>The number of code points before a UTF-16 place; −1 stays −1.</summary>
    public int CodePointAt(int unit) => unit < 0 || !_hasSurrogates ? unit : unit - Pairs(unit);

    /// <summary>The code points, one by one.</summary>
    public IEnumerable<MarkedText> Characters()
    {
        for (var unit = 0; unit < Value.Length;)
        {
            var length = IsPair(unit) ? 2 : 1;
            yield return Units(unit, unit + length);
            unit += length;
        }
    }

    /// <summary>Strips characters from the ends; white space where <paramref name="characters"/> is null.</summary>
    public MarkedText Trim(string? characters, bool atStart, bool atEnd)
    {
        var (start, end) = (0, Value.Length);
        while (atStart && start < end && Strips(Value[start]))
        {
            start++;
        }

        while (atEnd && end > start && Strips(Value[end - 1]))
        {
            end--;
        }

        return Units(start, end);

        bool Strips(char c) =>
            characters is null ? PythonText.IsSpace(c) : characters.Contains(c, StringComparison.Ordinal);
    }

    /// <summary>The text with every character replaced, origins kept; replacements may be longer.</summary>
    public MarkedText Map(JinjaBudget budget, Func<char, int, string?> replacement)
    {
        var mapped = new MarkedTextBuilder(budget);
        for (var i = 0; i < Value.Length; i++)
        {
            if (replacement(Value[i], i) is { } text)
            {
                mapped.Append(text, Origin(i));
            }
            else
            {
                mapped.Append(Value[i], Origin(i));
            }
        }

        return mapped.ToText();
    }

    public override string ToString() => Value;

    private static short[] Filled(int length, short origin)
    {
        var origins = new short[length];
        Array.Fill(origins, origin);
        return origins;
    }

    private bool IsPair(int unit) => unit + 1 < Value.Length && char.IsSurrogatePair(Value[unit], Value[unit + 1]);

    private int Pairs(int end)
    {
        var pairs = 0;
        for (var i = 0; i + 1 < end; i++)
        {
            if (IsPair(i))
            {
                pairs++;
                i++;
            }
        }

        return pairs;
    }
}
