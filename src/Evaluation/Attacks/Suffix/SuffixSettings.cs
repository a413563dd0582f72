using System.Globalization;
using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>The settings of a search for a suffix.</summary>
/// <param name="Length">L: tokens of the suffix.</param>
/// <param name="Steps">Gradients taken.</param>
public sealed record SuffixSettings(int Length, int Steps)
{
    /// <summary>B: suffixes tried in each step.</summary>
    public int Batch { get; init; } = 48;

    /// <summary>k: tokens among which each place of the suffix chooses.</summary>
    public int TopK { get; init; } = 64;

    /// <summary>The most tokens of the wanted answer that count.</summary>
    public int Target { get; init; } = 16;

    /// <summary>Reads <c>6x30</c>: tokens and steps.</summary>
    /// <exception cref="SafeLlamaException">It is none.</exception>
    public static SuffixSettings Parse(string text) => text.Split('x') is [var length, var steps]
        && int.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var l) && l > 0
        && int.TryParse(steps, NumberStyles.None, CultureInfo.InvariantCulture, out var s) && s > 0
            ? new(l, s)
            : throw SafeLlamaException.Usage(
                $"`Attacks` {SuffixTrial.Name}: the setting \"{text}\" is none; expected tokens x steps, such as 6x30.");
}
