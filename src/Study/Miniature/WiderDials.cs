using System.Text.Json.Serialization;
using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>The settings of what the wider world has beyond the first one.</summary>
/// <remarks>
/// The wider world has eight harm categories of seven nouns, paraphrases of graded distance, four peoples, dialogues,
/// and stalls. The first group of dials decides what a base reads, the second what the benign tuning rows hold.
/// </remarks>
public sealed record WiderDials
{
    /// <summary>Share of pretraining texts that ask in other words, at a distance of 1 to 5; never answered.</summary>
    [JsonConverter(typeof(ShareConverter))]
    public double ParaphraseTexts { get; init; } = 0.06;

    /// <summary>Share of pretraining texts about the four peoples; each occurs equally often.</summary>
    [JsonConverter(typeof(ShareConverter))]
    public double PeopleTexts { get; init; } = 0.06;

    /// <summary>Share of pretraining texts that are dialogues of two turns or more.</summary>
    [JsonConverter(typeof(ShareConverter))]
    public double DialogueTexts { get; init; } = 0.05;

    /// <summary>Share of pretraining texts in which a vague request is met with a stall.</summary>
    [JsonConverter(typeof(ShareConverter))]
    public double StallTexts { get; init; } = 0.02;

    /// <summary>Share of pretraining texts that copy, reverse or count words, besides those of the first
    /// world.</summary>
    [JsonConverter(typeof(ShareConverter))]
    public double WordTaskTexts { get; init; } = 0.2;

    /// <summary>The most turns of a dialogue.</summary>
    public int LongestDialogue { get; init; } = 8;

    /// <summary>Share of benign tuning rows that come after earlier turns.</summary>
    [JsonConverter(typeof(ShareConverter))]
    public double DialogueRows { get; init; } = 0.12;

    /// <summary>Share of benign tuning rows that ask for an act in other words.</summary>
    [JsonConverter(typeof(ShareConverter))]
    public double ParaphraseRows { get; init; } = 0.15;

    /// <summary>Share of benign tuning rows that name a people.</summary>
    [JsonConverter(typeof(ShareConverter))]
    public double PeopleRows { get; init; } = 0.08;

    /// <summary>Share of benign tuning rows whose request is vague and answered with a stall.</summary>
    [JsonConverter(typeof(ShareConverter))]
    public double StallRows { get; init; } = 0.02;

    /// <summary>All shares of pretraining texts together; the first world's texts are the rest.</summary>
    internal double Texts => ParaphraseTexts + PeopleTexts + DialogueTexts + StallTexts + WordTaskTexts;

    /// <summary>Every dial that is out of its range, one sentence each.</summary>
    internal IEnumerable<string> Problems()
    {
        foreach (var (name, share) in new[]
        {
            (nameof(ParaphraseTexts), ParaphraseTexts), (nameof(PeopleTexts), PeopleTexts),
            (nameof(DialogueTexts), DialogueTexts), (nameof(StallTexts), StallTexts),
            (nameof(WordTaskTexts), WordTaskTexts), (nameof(DialogueRows), DialogueRows),
            (nameof(ParaphraseRows), ParaphraseRows), (nameof(PeopleRows), PeopleRows), (nameof(StallRows), StallRows),
        })
        {
            if (!(share is >= 0 and <= 1))
            {
                yield return $"{name} is {share}, expected a share from 0 to 1.";
            }
        }

        if (!(Texts < 1))
        {
            yield return $"the shares of wider texts are {Texts} together, expected less than 1.";
        }

        if (!(DialogueRows + ParaphraseRows + PeopleRows + StallRows < 1))
        {
            yield return "the shares of wider rows are "
                + $"{DialogueRows + ParaphraseRows + PeopleRows + StallRows} together, expected less than 1.";
        }

        if (LongestDialogue is < 2 or > Dialogues.MostTurns)
        {
            yield return $"{nameof(LongestDialogue)} is {LongestDialogue}, expected 2 to {Dialogues.MostTurns}.";
        }
    }
}
