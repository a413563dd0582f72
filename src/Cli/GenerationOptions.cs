using System.CommandLine;
using SafeLlama.Common;
using SafeLlama.Inference;

namespace SafeLlama.Cli;

/// <summary>The options that choose the next token, shared by every verb that generates.</summary>
internal sealed class GenerationOptions
{
    private static readonly DecodingConfig Defaults = new();

    private readonly Option<string?> _profile = new("--profile")
    {
        Description = "Decoding profile. authors-effective: what the paper's code really did, four beams and 128 new "
            + "tokens. model: what the model's generation_config.json suggests. Excludes the options below; beside "
            + "model, --max-new-tokens may be given.",
        HelpName = "authors-effective|model",
    };

    private readonly Option<int> _maxNewTokens = Number(
        "--max-new-tokens", "The most tokens of an answer.", Defaults.MaxNewTokens);
    private readonly Option<double> _temperature = Real(
        "--temperature", "Above 0, tokens are drawn, from logits divided by it; 0 takes the likeliest.",
        Defaults.Temperature);
    private readonly Option<int> _topK = Number(
        "--top-k", "Draw from the k likeliest tokens; 0 is off.", Defaults.TopK);
    private readonly Option<double> _topP = Real(
        "--top-p", "Draw from the likeliest tokens of this total probability; 1 is off.", Defaults.TopP);
    private readonly Option<double> _minP = Real(
        "--min-p", "Draw from tokens at least this share as likely as the likeliest; 0 is off.", Defaults.MinP);
    private readonly Option<double> _typicalP = Real(
        "--typical-p", "Draw from the tokens of most typical surprise, of this total probability; 1 is off.",
        Defaults.TypicalP);
    private readonly Option<double> _repetition = Real(
        "--repetition-penalty", "Above 1, tokens that already stand in the text get less likely; 1 is off.",
        Defaults.RepetitionPenalty);
    private readonly Option<int> _ngram = Number(
        "--no-repeat-ngram", "No sequence of so many tokens occurs twice; 0 is off.", Defaults.NoRepeatNgram);
    private readonly Option<int> _beams = Number(
        "--beams", "Sequences kept side by side in beam search; 1 is off.", Defaults.Beams);
    private readonly Option<double> _lengthPenalty = Real(
        "--length-penalty", "A beam scores log-likelihood / length to this power.", Defaults.LengthPenalty);
    private readonly Option<long> _seed = CommonOptions.Seed();

    private IEnumerable<Option> Choices =>
        [_maxNewTokens, _temperature, _topK, _topP, _minP, _typicalP, _repetition, _ngram, _beams, _lengthPenalty];

    public void AddTo(Command command)
    {
        foreach (var option in Choices.Prepend(_profile).Append(_seed))
        {
            command.Add(option);
        }
    }

    /// <param name="model">The model's folder.</param>
    /// <exception cref="SafeLlamaException">A value is out of range or would have no effect.</exception>
    public DecodingConfig Read(ParseResult parsed, string model)
    {
        DecodingConfig config;
        if (parsed.GetValue(_profile) is { } profile)
        {
            if (profile is not ("authors-effective" or "model"))
            {
                throw SafeLlamaException.Usage(
                    $"--profile {profile}: is unknown, expected authors-effective or model.");
            }

            if (Choices.FirstOrDefault(o => parsed.GetResult(o) is { Implicit: false }
                && !(profile == "model" && o == _maxNewTokens)) is { } other)
            {
                throw SafeLlamaException.Usage(
                    $"{other.Name} and --profile {profile} exclude each other: the profile sets it.");
            }

            config = profile == "authors-effective" ? DecodingConfig.AuthorsEffective : SuggestedDecoding.Of(
                model,
                new() { MaxNewTokens = parsed.GetValue(_maxNewTokens), Seed = parsed.GetValue(_seed) });
        }
        else
        {
            config = new DecodingConfig
            {
                MaxNewTokens = parsed.GetValue(_maxNewTokens),
                Temperature = parsed.GetValue(_temperature),
                TopK = parsed.GetValue(_topK),
                TopP = parsed.GetValue(_topP),
                MinP = parsed.GetValue(_minP),
                TypicalP = parsed.GetValue(_typicalP),
                RepetitionPenalty = parsed.GetValue(_repetition),
                NoRepeatNgram = parsed.GetValue(_ngram),
                Beams = parsed.GetValue(_beams),
                LengthPenalty = parsed.GetValue(_lengthPenalty),
                Seed = parsed.GetValue(_seed),
            };
        }

        if (parsed.GetResult(_seed) is { Implicit: false } && !config.Samples)
        {
            throw SafeLlamaException.Usage("--seed has no effect without --temperature above 0: nothing is drawn.");
        }

        config.Validate();
        return config;
    }

    private static Option<int> Number(string name, string description, int otherwise) =>
        new(name) { Description = description, HelpName = "N", DefaultValueFactory = _ => otherwise };

    private static Option<double> Real(string name, string description, double otherwise) =>
        new(name) { Description = description, HelpName = "X", DefaultValueFactory = _ => otherwise };
}
