using System.Globalization;
using System.Text;

namespace SafeLlama.Data;

/// <summary>A set of characters in a regular expression: general categories and ranges of code points.</summary>
internal sealed class CharacterSet
{
    private const int AllCategories = (1 << 30) - 1;

    private readonly List<(int From, int To)> _ranges = [];
    private int _categories;

    /// <summary>Whether it holds what is not listed.</summary>
    public bool Negated { get; set; }

    public IReadOnlyList<(int From, int To)> Ranges => _ranges;

    public bool HasCategories => _categories != 0;

    /// <summary>Whether its ranges hold the character; categories are not looked at.</summary>
    public bool Lists(int codePoint) => _ranges.Exists(range => range.From <= codePoint && codePoint <= range.To);

    public static CharacterSet Of(params UnicodeCategory[] categories)
    {
        var set = new CharacterSet();
        foreach (var category in categories)
        {
            set._categories |= 1 << (int)category;
        }

        return set;
    }

    /// <summary>Adds hexadecimal ranges, such as <c>61-7a b5</c>.</summary>
    public CharacterSet With(string ranges)
    {
        foreach (var range in ranges.Split(' '))
        {
            var ends = range.Split('-');
            Add(int.Parse(ends[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture),
                int.Parse(ends[^1], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        }

        return this;
    }

    public CharacterSet Add(int from, int to)
    {
        _ranges.Add((from, to));
        return this;
    }

    /// <summary>Adds another set; false where the union cannot be listed.</summary>
    public bool TryAdd(CharacterSet other)
    {
        if (Negated)
        {
            return false;
        }

        if (other.Negated)
        {
            if (TryAddNegated(other))
            {
                return true;
            }

            // It cannot be listed, but may stand alone.
            Negated = _categories == 0 && _ranges.Count == 0;
            if (!Negated)
            {
                return false;
            }
        }

        _categories |= other._categories;
        _ranges.AddRange(other._ranges);
        return true;
    }

    /// <summary>Adds the other case of every ASCII letter; false where another letter would need it.</summary>
    public bool TryFold()
    {
        if (_categories != 0 || _ranges.Exists(range => range.To > 0x7F))
        {
            return false;
        }

        foreach (var (from, to) in _ranges.ToList())
        {
            for (var c = from; c <= to; c++)
            {
                if (char.IsAsciiLetter((char)c))
                {
                    Add(c ^ 0x20, c ^ 0x20);
                }

                // Unicode folds the long s and the Kelvin sign to ASCII letters.
                if ((c | 0x20) is 's' or 'k')
                {
                    var folded = (c | 0x20) == 's' ? 0x17F : 0x212A;
                    Add(folded, folded);
                }
            }
        }

        return true;
    }

    public bool Holds(UnicodeCategory category) => (_categories & (1 << (int)category)) != 0;

    /// <summary>As .NET writes it; characters beyond U+FFFF through <paramref name="standIns"/>, if any.</summary>
    public string ToPattern(StandIns? standIns)
    {
        var text = new StringBuilder();
        Categories(text);
        foreach (var (from, to) in _ranges.Where(range => range.From <= 0xFFFF))
        {
            Range(text, (char)from, (char)Math.Min(to, 0xFFFF));
        }

        foreach (var (from, to) in standIns?.In(this) ?? [])
        {
            Range(text, from, to);
        }

        return text.Length == 0 ? Negated ? @"[\s\S]" : "(?!)" : $"[{(Negated ? "^" : "")}{text}]";
    }

    private bool TryAddNegated(CharacterSet other)
    {
        if (other._ranges.Count == 0)
        {
            _categories |= AllCategories & ~other._categories;
            return true;
        }

        if (other._categories != 0)
        {
            return false;
        }

        var from = 0;
        foreach (var (first, last) in other._ranges.Order())
        {
            if (from < first)
            {
                Add(from, first - 1);
            }

            from = Math.Max(from, last + 1);
        }

        if (from <= 0x10FFFF)
        {
            Add(from, 0x10FFFF);
        }

        return true;
    }

    private static void Range(StringBuilder text, char from, char to)
    {
        text.Append(CultureInfo.InvariantCulture, $"\\u{(int)from:X4}");
        if (to > from)
        {
            text.Append(CultureInfo.InvariantCulture, $"-\\u{(int)to:X4}");
        }
    }

    private void Categories(StringBuilder text)
    {
        // A lone surrogate stands for a character beyond U+FFFF, which has a category of its own.
        var rest = _categories & ~(1 << (int)UnicodeCategory.Surrogate);
        foreach (var (name, mask) in CategoryNames.Groups.Concat(CategoryNames.Single))
        {
            if ((rest & mask) == mask)
            {
                text.Append(CultureInfo.InvariantCulture, $"\\p{{{name}}}");
                rest &= ~mask;
            }
        }
    }
}
