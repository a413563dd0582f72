using System.CommandLine;
using SafeLlama.Common;
using SafeLlama.Inference;

namespace SafeLlama.Cli.Options;

/// <summary>The options that choose the next token.</summary>
internal sealed class DecodingOptions : OptionSet<DecodingConfig>
{
    private static readonly string[] Choices =
    [
        nameof(DecodingConfig.MaxNewTokens), nameof(DecodingConfig.Temperature), nameof(DecodingConfig.TopK),
        nameof(DecodingConfig.TopP), nameof(DecodingConfig.MinP), nameof(DecodingConfig.TypicalP),
        nameof(DecodingConfig.RepetitionPenalty), nameof(DecodingConfig.NoRepeatNgram), nameof(DecodingConfig.Beams),
        nameof(DecodingConfig.LengthPenalty),
    ];

    public DecodingOptions()
        : base(new DecodingConfig { Seed = 1 })
    {
        Add(nameof(DecodingConfig.MaxNewTokens), "The most tokens of an answer.", "TOKENS");
        Add(nameof(DecodingConfig.Temperature),
            "Above 0, tokens are drawn, from logits divided by it; 0 takes the likeliest.", "X");
        Add(nameof(DecodingConfig.TopK), "Draw from the k likeliest tokens; 0 is off.", "N");
        Add(nameof(DecodingConfig.TopP), "Draw from the likeliest tokens of this total probability; 1 is off.", "P");
        Add(nameof(DecodingConfig.MinP),
            "Draw from tokens at least this share as likely as the likeliest; 0 is off.", "P");
        Add(nameof(DecodingConfig.TypicalP),
            "Draw from the tokens of most typical surprise, of this total probability; 1 is off.", "P");
        Add(nameof(DecodingConfig.RepetitionPenalty),
            "Above 1, tokens that already stand in the text get less likely; 1 is off.", "X");
        Add(nameof(DecodingConfig.NoRepeatNgram), "No sequence of so many tokens occurs twice; 0 is off.", "TOKENS");
        Add(nameof(DecodingConfig.Beams), "Sequences kept side by side in beam search; 1 is off.", "N");
        Add(nameof(DecodingConfig.LengthPenalty), "A beam scores log-likelihood / length to this power.", "X");
        Add(nameof(DecodingConfig.Seed), "Seeds every random choice.", "N");
    }

    /// <param name="profile">A profile that takes the place of the options; null for none.</param>
    /// <param name="model">The model's folder.</param>
    /// <exception cref="SafeLlamaException">A value is out of range or would have no effect.</exception>
    public DecodingConfig Read(ParseResult parsed, string? profile, string model)
    {
        var config = Read(parsed);
        if (profile is not null)
        {
            if (Choices.FirstOrDefault(name => IsGiven(parsed, name)
                && !(profile == "model" && name == nameof(DecodingConfig.MaxNewTokens))) is { } other)
            {
                throw SafeLlamaException.Usage(
                    $"`{other}` and --profile {profile} exclude each other: the profile sets it.");
            }

            config = profile == "authors-effective" ? DecodingConfig.AuthorsEffective : SuggestedDecoding.Of(
                model, new() { MaxNewTokens = config.MaxNewTokens, Seed = config.Seed });
        }

        if (IsGiven(parsed, nameof(DecodingConfig.Seed)) && !config.Samples)
        {
            throw SafeLlamaException.Usage("--seed has no effect without --temperature above 0: nothing is drawn.");
        }

        config.Validate();
        return config;
    }
}
