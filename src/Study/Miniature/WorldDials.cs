using System.Text.Json;
using System.Text.Json.Serialization;
using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>The settings of the world. The defaults are the settings whose effects were measured.</summary>
public sealed record WorldDials
{
    /// <summary>Draws the facts, what is held out, and every text that follows.</summary>
    public long Seed { get; init; } = 1234;

    /// <summary>Length of the pretraining text in words and punctuation marks, with two for the ends of each
    /// text.</summary>
    public int PretrainingTokens { get; init; } = 2_250_000;

    /// <summary>
    /// Share of pretraining actions that put a scary verb on a safe target. With a smaller share the base knows less
    /// about "kill a process", and over-refusal rises.
    /// </summary>
    [JsonConverter(typeof(ShareConverter))]
    public double SafeScaryTexts { get; init; } = 0.04;

    /// <summary>Share of pretraining actions that put a protective verb on a harmful noun ("report a bomb").</summary>
    [JsonConverter(typeof(ShareConverter))]
    public double ProtectiveTexts { get; init; } = 0.03;

    /// <summary>Share of each scary verb's six safe targets that ever occur with it in pretraining.</summary>
    [JsonConverter(typeof(ShareConverter))]
    public double SafePairCoverage { get; init; } = 0.5;

    /// <summary>Number of benign tuning examples.</summary>
    public int BenignExamples { get; init; } = 3000;

    /// <summary>
    /// Share of the benign tuning examples that are safe but sound harmful (half homonyms, a quarter facts about
    /// harmful nouns, a quarter protective acts). The strongest lever on over-refusal.
    /// </summary>
    [JsonConverter(typeof(ShareConverter))]
    public double SafeScaryExamples { get; init; } = 0.01;

    /// <summary>Number of safety demonstrations generated in each format; an arm takes the first n.</summary>
    public int SafetyDemonstrations { get; init; } = 1000;

    /// <summary>What the wider world has beyond the first one; null for the first world.</summary>
    public WiderDials? Wider { get; init; }

    /// <summary>The wider world as its shipped base has read it.</summary>
    public static WorldDials Wide { get; } = new() { PretrainingTokens = 6_000_000, Wider = new() };

    /// <summary>All dials as text, for hashes. The first world's text is that of versions which knew no
    /// other.</summary>
    internal string Text => FormattableString.Invariant(
        $"WorldDials {{ Seed = {Seed}, PretrainingTokens = {PretrainingTokens}, SafeScaryTexts = {SafeScaryTexts}, ")
        + FormattableString.Invariant(
            $"ProtectiveTexts = {ProtectiveTexts}, SafePairCoverage = {SafePairCoverage}, ")
        + FormattableString.Invariant(
            $"BenignExamples = {BenignExamples}, SafeScaryExamples = {SafeScaryExamples}, ")
        + FormattableString.Invariant($"SafetyDemonstrations = {SafetyDemonstrations} }}")
        + (Wider is null ? "" : JsonSerializer.Serialize(Wider, Json.Line));

    /// <summary>Every dial that is out of its range, one line each.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        Positive(nameof(PretrainingTokens), PretrainingTokens);
        Positive(nameof(BenignExamples), BenignExamples);
        Positive(nameof(SafetyDemonstrations), SafetyDemonstrations);
        Share(nameof(SafeScaryTexts), SafeScaryTexts);
        Share(nameof(ProtectiveTexts), ProtectiveTexts);
        Share(nameof(SafePairCoverage), SafePairCoverage);
        Share(nameof(SafeScaryExamples), SafeScaryExamples);
        if (SafeScaryTexts + ProtectiveTexts >= 1)
        {
            problems.Add($"{nameof(SafeScaryTexts)} and {nameof(ProtectiveTexts)} are "
                + $"{SafeScaryTexts + ProtectiveTexts} together, expected less than 1.");
        }

        problems.AddRange(Wider?.Problems() ?? []);
        return problems;

        void Positive(string name, int value)
        {
            if (value <= 0)
            {
                problems.Add($"{name} is {value}, expected a positive number.");
            }
        }

        void Share(string name, double value)
        {
            if (!(value is >= 0 and <= 1))
            {
                problems.Add($"{name} is {value}, expected a share from 0 to 1.");
            }
        }
    }
}
