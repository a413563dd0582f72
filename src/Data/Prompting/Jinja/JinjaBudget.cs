namespace SafeLlama.Data;

/// <summary>Bounds the work of one rendering, so that no template hangs or fills the memory.</summary>
internal sealed class JinjaBudget
{
    /// <summary>Statements, expressions and items visited.</summary>
    public const long MostSteps = 2_000_000;

    /// <summary>Characters written, over all intermediate texts.</summary>
    public const long MostCharacters = 64_000_000;

    /// <summary>Characters of one text.</summary>
    public const long LongestText = 8_000_000;

    /// <summary>Expressions, calls and values inside each other.</summary>
    public const int Deepest = 200;

    private long _steps;
    private long _characters;
    private int _depth;

    /// <summary>Counts one step, and goes one level deeper.</summary>
    /// <exception cref="JinjaFault">A bound is reached.</exception>
    public void Enter()
    {
        Step(1);
        if (++_depth > Deepest)
        {
            throw new JinjaFault($"the template goes deeper than {Deepest} levels");
        }
    }

    public void Leave() => _depth--;

    /// <summary>Counts steps before they are taken.</summary>
    public void Step(long steps)
    {
        _steps += steps;
        if (_steps > MostSteps)
        {
            throw new JinjaFault($"the template takes more than {MostSteps:N0} steps");
        }
    }

    /// <summary>Counts characters before they are written.</summary>
    /// <param name="characters">How many.</param>
    /// <param name="length">The length of the text that they make.</param>
    public void Charge(long characters, long length)
    {
        _characters += characters;
        if (length > LongestText || _characters > MostCharacters)
        {
            throw new JinjaFault(length > LongestText
                ? $"the template makes a text of more than {LongestText:N0} characters"
                : $"the template writes more than {MostCharacters:N0} characters");
        }
    }
}
