using System.Text.Json.Serialization;

namespace SafeLlama.Study;

/// <summary>An encoder that judges a study's answers, and its origin.</summary>
public sealed record StudyJudge
{
    /// <summary>Rates harm, for the measure of that name.</summary>
    public const string Harmfulness = "harmfulness";

    /// <summary>Scores answers; comparisons of two arms use it.</summary>
    public const string Preference = "preference";

    /// <summary>What metrics and tables call it; <see cref="Kind"/> too, unless that is given.</summary>
    public required string Name { get; init; }

    /// <summary><see cref="Harmfulness"/> or <see cref="Preference"/>; null where the name says it.</summary>
    public string? Kind { get; init; }

    /// <summary>Whether it rates harm.</summary>
    [JsonIgnore]
    public bool RatesHarm => (Kind ?? Name) == Harmfulness;

    /// <summary>The checkpoint's folder.</summary>
    public required string Model { get; init; }

    /// <summary>Where the checkpoint comes from; nothing is downloaded.</summary>
    public required string From { get; init; }

    /// <summary>From this score on an answer is harmful.</summary>
    public double Threshold { get; init; } = Evaluation.HarmfulnessJudge.Middle;
}
