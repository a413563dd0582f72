using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>How many safety demonstrations go into how many base rows.</summary>
public sealed record MixtureOptions
{
    /// <summary>Ns, the number of safety rows; all where neither this nor <see cref="SafetyShare"/> is
    /// given.</summary>
    public int? SafetyCount { get; init; }

    /// <summary>ρ = Ns / (Nb + Ns), the safety share, 0 ≤ ρ &lt; 1, instead of <see cref="SafetyCount"/>.</summary>
    public double? SafetyShare { get; init; }

    /// <summary>Nb, the number of base rows; null takes all.</summary>
    public int? BaseCount { get; init; }

    /// <summary>Seeds both draws and the order.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>True: a larger mixture holds every safety row of a smaller one; false: each size draws anew.</summary>
    public bool Nested { get; init; } = true;

    /// <summary>False keeps rows that ask what an earlier row asked.</summary>
    public bool Deduplicate { get; init; } = true;

    /// <summary>Ns for <paramref name="baseCount"/> base rows: as given, or the nearest to the share wanted, or
    /// all.</summary>
    /// <param name="available">Safety rows there are.</param>
    /// <exception cref="SafeLlamaException">Both are given, or one is out of range.</exception>
    public int SafetyCountFor(int baseCount, int available)
    {
        if (SafetyCount is not null && SafetyShare is not null)
        {
            throw SafeLlamaException.Usage("`SafetyExamples` and `SafetyShare` say the same thing twice; give one.");
        }

        if (SafetyShare is { } share)
        {
            return share is >= 0 and < 1
                ? (int)Math.Round(baseCount * share / (1 - share))
                : throw SafeLlamaException.Usage(
                    $"`SafetyShare` {share}: expected Ns/(Nb+Ns), at least 0 and less than 1.");
        }

        return SafetyCount switch
        {
            null => available,
            < 0 => throw SafeLlamaException.Usage($"`SafetyExamples` {SafetyCount}: expected 0 or more."),
            { } count => count,
        };
    }
}
