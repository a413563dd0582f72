using System.Security.Cryptography;
using System.Text.Json;
using SafeLlama.Inference;

namespace SafeLlama.Serving;

/// <summary>What both kinds of completions read alike.</summary>
internal static class SamplingFields
{
    /// <summary>Answers to one prompt, at most.</summary>
    private const int MostChoices = 128;

    /// <summary>Texts that end an answer, at most.</summary>
    private const int MostStops = 16;

    /// <summary>How tokens are chosen.</summary>
    /// <param name="temperature">Where the request names none.</param>
    public static DecodingConfig Decoding(RequestFields fields, double temperature)
    {
        static bool IsShare(double p) => p is > 0 and <= 1;
        var warm = fields.Number("temperature", t => t is >= 0 and <= 100, "a number from 0 to 100") ?? temperature;
        var (topP, topK, minP) = (
            fields.Number("top_p", IsShare, "a number above 0, at most 1") ?? 1,
            fields.Integer("top_k", -1, int.MaxValue) ?? 0,
            fields.Number("min_p", p => p is >= 0 and <= 1, "a number from 0 to 1") ?? 0);
        var seed = fields.Long("seed");
        foreach (var name in new[] { "frequency_penalty", "presence_penalty" })
        {
            fields.AcceptOnly(name, v => RequestFields.IsNumber(v, 0), "0");
        }

        fields.AcceptOnly(
            "logit_bias", v => v.ValueKind == JsonValueKind.Object && !v.EnumerateObject().Any(), "an empty object");
        fields.Accept("user", "safety_identifier", "prompt_cache_key", "metadata", "store", "service_tier");
        var config = new DecodingConfig
        {
            Temperature = warm,
            RepetitionPenalty = fields.Number(
                "repetition_penalty", DecodingConfig.IsPenalty, "a number from 1e-6 to 1e6") ?? 1,
            Seed = seed ?? RandomNumberGenerator.GetInt32(int.MaxValue),
        };

        // Nothing is drawn at temperature 0; clients send these beside it all the same.
        return warm > 0 ? config with { TopP = topP, TopK = Math.Max(topK, 0), MinP = minP } : config;
    }

    public static int Choices(RequestFields fields) => fields.Integer("n", 1, MostChoices) ?? 1;

    public static IReadOnlyList<string> Stops(RequestFields fields) => fields.Texts("stop", MostStops);

    /// <summary>Whether the answer is streamed, and whether its last event tells of the tokens.</summary>
    public static (bool Streams, bool TellsUsage) Streaming(RequestFields fields)
    {
        var streams = fields.Flag("stream");
        if (fields.Find("stream_options") is not { } options)
        {
            return (streams, false);
        }

        if (!streams)
        {
            throw new ApiException(400, "'stream_options' needs 'stream' true.", "stream_options");
        }

        var inner = new RequestFields(options, "stream_options.");
        var tells = inner.Flag("include_usage");
        inner.AcceptOnly("include_obfuscation", v => v.ValueKind == JsonValueKind.False, "false");
        inner.RefuseOthers();
        return (true, tells);
    }
}
