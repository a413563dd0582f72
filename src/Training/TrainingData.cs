using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Training;

/// <summary>The rows that a run learns from, and the rows that it is measured on.</summary>
/// <param name="Training">Learned.</param>
/// <param name="General">Held out: ordinary rows.</param>
/// <param name="Safety">Held out: safety demonstrations.</param>
public sealed record TrainingData(
    IReadOnlyList<TokenizedExample> Training,
    IReadOnlyList<TokenizedExample> General,
    IReadOnlyList<TokenizedExample> Safety)
{
    /// <summary>The ids of rows that are safety demonstrations.</summary>
    public IReadOnlySet<string> SafetyIds { get; init; } = new HashSet<string>();

    /// <summary>Harmful rows that a defense looks at and that are not learned.</summary>
    public IReadOnlyList<TokenizedExample> Harmful { get; init; } = [];

    /// <summary>All rows of every use.</summary>
    public IEnumerable<TokenizedExample> Everything => Training.Concat(General).Concat(Safety).Concat(Harmful);

    public int ValidationCount => General.Count + Safety.Count;

    /// <summary>Tokens of the longest example.</summary>
    public int Longest => Everything.Max(e => e.LongestSequence);

    /// <summary>Data without held-out rows.</summary>
    public static TrainingData All(IReadOnlyList<TokenizedExample> examples) => new(examples, [], []);

    /// <summary>
    /// Holds rows out by a seeded draw. The losses of safety rows and of others are reported apart in any case.
    /// </summary>
    /// <param name="examples">All rows.</param>
    /// <param name="isSafety">Whether an id is a safety demonstration's.</param>
    /// <param name="validation">How many, or which share, are held out.</param>
    /// <param name="stratified">Draw the same share of the safety rows and of the others, instead of one draw over
    /// all.</param>
    /// <exception cref="SafeLlamaException">Nothing would be left to learn.</exception>
    public static TrainingData Split(
        IReadOnlyList<TokenizedExample> examples, Func<string, bool> isSafety, Amount validation, bool stratified,
        long seed)
    {
        var split = ValidationSplit.Draw(examples, validation.Of(examples.Count), seed, stratified ? isSafety : null);
        var held = split.Validation.Values.SelectMany(rows => rows).ToLookup(row => isSafety(row.Id));
        return new TrainingData(split.Training, [.. held[false]], [.. held[true]])
        {
            SafetyIds = examples.Select(row => row.Id).Where(isSafety).ToHashSet(),
        };
    }
}
