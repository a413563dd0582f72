using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Inference;

/// <summary>The decoding that a model's <c>generation_config.json</c> suggests, as transformers would do it.</summary>
public static class SuggestedDecoding
{
    private static readonly string[] Computed =
    [
        "do_sample", "temperature", "top_k", "top_p", "min_p", "typical_p", "repetition_penalty",
        "no_repeat_ngram_size", "num_beams", "length_penalty", "max_new_tokens", "max_length",
    ];

    /// <param name="folder">The model's folder.</param>
    /// <param name="settings">
    /// Gives the seed and the most new tokens, which the file's <c>max_length</c> does not change.
    /// </param>
    /// <exception cref="SafeLlamaException">The model suggests no decoding, or one that is not supported.</exception>
    public static DecodingConfig Of(string folder, DecodingConfig settings)
    {
        var defaults = GenerationDefaults.Read(folder);
        if (defaults.Sampling.Count == 0)
        {
            throw SafeLlamaException.Usage(
                $"{folder}: suggests no decoding (generation_config.json).", "name the settings yourself");
        }

        var other = defaults.Sampling.FirstOrDefault(setting => !Computed.Contains(setting.Split(' ')[0])
            && setting.Split(' ', 2)[1] is not ("0" or "0.0" or "false" or "1" or "1.0"));
        if (other is not null)
        {
            throw SafeLlamaException.InvalidData(
                $"{folder}: generation_config.json suggests {other}, which is not computed here. Name the settings "
                + "yourself.");
        }

        double Number(string name, double otherwise) => defaults.Numbers.GetValueOrDefault(name, otherwise);
        var samples = Number("do_sample", 0) == 1;
        var beams = (int)Number("num_beams", 1);
        return settings with
        {
            Profile = "model",
            Temperature = samples ? Number("temperature", 1) : 0,
            TopK = samples ? (int)Number("top_k", 50) : 0, // 50 is transformers' own default
            TopP = samples ? Number("top_p", 1) : 1,
            MinP = samples ? Number("min_p", 0) : 0,
            TypicalP = samples ? Number("typical_p", 1) : 1,
            RepetitionPenalty = Number("repetition_penalty", 1),
            NoRepeatNgram = (int)Number("no_repeat_ngram_size", 0),
            Beams = beams,
            LengthPenalty = beams > 1 ? Number("length_penalty", 1) : 1,
        };
    }
}
