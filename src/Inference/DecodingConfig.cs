using System.Text.Json.Serialization;
using SafeLlama.Common;

namespace SafeLlama.Inference;

/// <summary>How an answer is decoded. A setting that would have no effect is refused.</summary>
/// <remarks>
/// Run folders keep it with every answer: the properties from <see cref="Profile"/> to <see cref="Seed"/>, in this
/// order, and of the others those that differ from their default.
/// </remarks>
public sealed record DecodingConfig
{
    /// <summary>
    /// A name for the settings: <c>greedy</c>, <c>beams</c>, <c>authors-effective</c>, <c>sampling</c>, or
    /// <c>elsewhere</c>. It changes nothing by itself.
    /// </summary>
    public string Profile { get; init; } = "greedy";

    /// <summary>The most tokens an answer may have, its end token included.</summary>
    public int MaxNewTokens { get; init; } = 128;

    /// <summary>Sequences kept side by side in beam search; 1 is off.</summary>
    public int Beams { get; init; } = 1;

    /// <summary>0 takes the likeliest token. Above 0, logits are divided by it and a token is drawn.</summary>
    public double Temperature { get; init; }

    /// <summary>
    /// Draws from the smallest set of tokens with this probability (Holtzman et al. 2019, arXiv:1904.09751); 1 is off.
    /// </summary>
    public double TopP { get; init; } = 1;

    /// <summary>Draws from the k likeliest only; 0 is off.</summary>
    public int TopK { get; init; }

    /// <summary>Seeds what is drawn; equal seeds give equal answers, whatever stands beside them in a batch.</summary>
    public long Seed { get; init; }

    /// <summary>Draws from tokens at least this share as likely as the likeliest; 0 is off.</summary>
    public double MinP { get; init; }

    /// <summary>
    /// Draws from the tokens closest to the expected surprise (Meister et al. 2022, arXiv:2202.00666); 1 is off.
    /// </summary>
    public double TypicalP { get; init; } = 1;

    /// <summary>
    /// Makes tokens that already stand in the text less likely (Keskar et al. 2019, arXiv:1909.05858); 1 is off.
    /// </summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>No sequence of so many tokens occurs twice; 0 is off.</summary>
    public int NoRepeatNgram { get; init; }

    /// <summary>A beam's score is its log-likelihood over its length to this power.</summary>
    public double LengthPenalty { get; init; } = 1;

    /// <summary>
    /// Each of these ends an answer. They come from the model and its template: <see cref="LlamaSession"/>.
    /// </summary>
    [JsonIgnore]
    public IReadOnlyList<int> EosIds { get; init; } = [];

    /// <summary>Ids from here on are never chosen: rows of a padded table that no text reaches; 0 allows all.</summary>
    [JsonIgnore]
    public int TokenLimit { get; init; }

    [JsonIgnore]
    public bool Samples => Temperature > 0;

    /// <summary>
    /// The effective settings of the authors' code: four beams and 128 new tokens. Their temperature, top-p and top-k
    /// had no effect.
    /// </summary>
    public static DecodingConfig AuthorsEffective { get; } = new()
    {
        Profile = "authors-effective",
        Beams = 4,
        MaxNewTokens = 128,
    };

    /// <summary>For answers from a file that does not say how they were decoded.</summary>
    public static DecodingConfig Elsewhere { get; } = new() { Profile = "elsewhere", MaxNewTokens = 0 };

    public static DecodingConfig Greedy(int maxNewTokens = 128) => new() { MaxNewTokens = maxNewTokens };

    /// <summary>Whether a number may be a repetition penalty: beyond, products with logits overflow.</summary>
    public static bool IsPenalty(double penalty) => penalty is >= 1e-6 and <= 1e6;

    /// <exception cref="SafeLlamaException">
    /// A setting is out of range, or would have no effect beside the others.
    /// </exception>
    public void Validate()
    {
        static void Require(bool fine, string setting, object value, string expected)
        {
            if (!fine)
            {
                throw SafeLlamaException.Usage($"`{setting}` {value}: expected {expected}.");
            }
        }

        Require(MaxNewTokens > 0, nameof(MaxNewTokens), MaxNewTokens, "at least 1");
        Require(
            Temperature >= 0 && double.IsFinite(Temperature), nameof(Temperature), Temperature,
            "0 (likeliest token) or above");
        Require(TopK >= 0, nameof(TopK), TopK, "0 (off) or above");
        Require(TopP is > 0 and <= 1, nameof(TopP), TopP, "a probability in (0, 1]");
        Require(MinP is >= 0 and <= 1, nameof(MinP), MinP, "a share in [0, 1]");
        Require(TypicalP is > 0 and <= 1, nameof(TypicalP), TypicalP, "a probability in (0, 1]");
        Require(
            IsPenalty(RepetitionPenalty), nameof(RepetitionPenalty), RepetitionPenalty,
            "1 (off), or another number from 1e-6 to 1e6");
        Require(NoRepeatNgram >= 0, nameof(NoRepeatNgram), NoRepeatNgram, "0 (off) or above");
        Require(Beams >= 1, nameof(Beams), Beams, "at least 1");
        var inert = new (bool Set, string Setting)[]
        {
            (TopK > 0, nameof(TopK)), (TopP < 1, nameof(TopP)),
            (MinP > 0, nameof(MinP)), (TypicalP < 1, nameof(TypicalP)),
        };
        foreach (var (set, setting) in inert)
        {
            if (set && !Samples)
            {
                throw SafeLlamaException.Usage(
                    $"`{setting}` has no effect without `{nameof(Temperature)}` above 0: nothing is drawn.");
            }
        }

        if (Beams > 1 && Samples)
        {
            throw SafeLlamaException.Usage(
                $"`{nameof(Beams)}` {Beams} and `{nameof(Temperature)}` {Temperature} exclude each other: beam search "
                + "draws nothing.");
        }

        if (Beams == 1 && LengthPenalty != 1)
        {
            throw SafeLlamaException.Usage(
                $"`{nameof(LengthPenalty)}` {LengthPenalty} has no effect with one beam: nothing is compared.");
        }
    }
}
