using System.Text;

namespace SafeLlama.Data;

/// <summary>Puts texts together, origins kept, and charges every character to the budget.</summary>
internal sealed class MarkedTextBuilder(JinjaBudget budget)
{
    private readonly StringBuilder _text = new();
    private List<short>? _origins;

    /// <summary>UTF-16 units so far.</summary>
    public int Length => _text.Length;

    public void Append(MarkedText text)
    {
        budget.Charge(text.Value.Length, _text.Length + (long)text.Value.Length);
        if (!text.IsPlain)
        {
            _origins ??= Plain();
        }

        if (_origins is not null)
        {
            for (var i = 0; i < text.Value.Length; i++)
            {
                _origins.Add(text.Origin(i));
            }
        }

        _text.Append(text.Value);
    }

    public void Append(string text, short origin = MarkedText.Template)
    {
        foreach (var c in text)
        {
            Append(c, origin);
        }
    }

    public void Append(char c, short origin)
    {
        budget.Charge(1, _text.Length + 1);
        if (origin != MarkedText.Template)
        {
            _origins ??= Plain();
        }

        _origins?.Add(origin);
        _text.Append(c);
    }

    public MarkedText ToText() => new(_text.ToString(), _origins?.ToArray());

    private List<short> Plain() => [.. Enumerable.Repeat(MarkedText.Template, _text.Length)];
}
