using System.Text.Json.Nodes;

namespace SafeLlama.Model;

/// <summary>Reads an <see cref="EncoderConfig"/> from a DeBERTa's <c>config.json</c>; refuses others.</summary>
internal static class EncoderConfigReader
{
    private const string Expected = "expected \"deberta-v2\" (DeBERTa-v2 and v3)";

    /// <summary>The most rows of a table of distances; checkpoints have far fewer.</summary>
    private const int MostDistances = 1 << 20;

    /// <summary>Classifiers of other families, which share neither attention nor tokenizer.</summary>
    private static readonly string[] Others =
        ["bert", "roberta", "xlm-roberta", "distilbert", "albert", "electra", "deberta", "modernbert"];

    public static EncoderConfig Read(ConfigFields read)
    {
        RequireDeberta(read);
        var (hidden, heads) = (read.Positive("hidden_size"), read.Positive("num_attention_heads"));
        if (hidden % heads != 0)
        {
            throw read.Error("num_attention_heads", $"is {heads}, expected a divisor of hidden_size {hidden}");
        }

        var positions = Positive(read, "max_position_embeddings", 512);
        var distance = Whole(read, "max_relative_positions", -1) is var given and > 0 ? given : positions;
        var buckets = Whole(read, "position_buckets", -1);
        var config = new EncoderConfig
        {
            VocabularySize = read.Positive("vocab_size"),
            HiddenSize = hidden,
            IntermediateSize = read.Positive("intermediate_size"),
            Layers = read.Positive("num_hidden_layers"),
            Heads = heads,
            LayerNormEpsilon = read.Number("layer_norm_eps", 1e-7),
            DistanceSpan = buckets > 0 ? buckets : distance,
            LogBuckets = buckets > 0,
            MaxDistance = distance,
            Labels = LabelsOf(read),
            PadTokenId = Whole(read, "pad_token_id", 0),
            InitializerRange = read.Number("initializer_range", 0.02),
        };
        Require(
            read, "pad_token_id", config.PadTokenId >= 0 && config.PadTokenId < config.VocabularySize,
            $"an id below vocab_size {config.VocabularySize}");
        Require(read, "layer_norm_eps", config.LayerNormEpsilon > 0, "a positive number");
        Require(
            read, buckets > 0 ? "position_buckets" : "max_position_embeddings",
            config.DistanceSpan <= MostDistances, $"at most {MostDistances}");
        Require(
            read, "position_buckets", !config.LogBuckets || (buckets >= 4 && distance > buckets / 2),
            $"-1, or at least 4 and less than twice the largest distance {distance}");
        Require(read, "pooler_hidden_size", Positive(read, "pooler_hidden_size", hidden) == hidden, $"{hidden}");
        Require(read, "embedding_size", Positive(read, "embedding_size", hidden) == hidden, $"{hidden}");
        Require(
            read, "attention_head_size", Positive(read, "attention_head_size", config.HeadDim) == config.HeadDim,
            $"{config.HeadDim}");
        return config;
    }

    private static void RequireDeberta(ConfigFields read)
    {
        var type = read.Text("model_type") ?? throw read.Error("model_type", $"is missing, {Expected}");
        if (type != "deberta-v2")
        {
            var why = Others.Contains(type)
                ? $"{Expected}: a {type} classifier has other attention and another tokenizer, and is not supported"
                : Expected;
            throw read.Error("model_type", $"is \"{type}\", {why}");
        }

        Require(read, "quantization_config", read.Json["quantization_config"] is null, "weights in F32, F16 or BF16");
        Require(read, "relative_attention", read.Flag("relative_attention"), "true");
        Require(read, "share_att_key", read.Flag("share_att_key"), "true: distances share the content's projections");
        Require(
            read, "position_biased_input", read.Has("position_biased_input") && !read.Flag("position_biased_input"),
            "false: DeBERTa-v3 adds no positions to its input");
        Require(read, "type_vocab_size", Whole(read, "type_vocab_size", 0) == 0, "0");
        Require(read, "conv_kernel_size", Whole(read, "conv_kernel_size", 0) == 0, "0: convolutions are not supported");
        Require(read, "norm_rel_ebd", read.Text("norm_rel_ebd")?.Trim() == "layer_norm", "\"layer_norm\"");
        Require(read, "hidden_act", read.Text("hidden_act") is null or "gelu", "\"gelu\"");
        Require(read, "pooler_hidden_act", read.Text("pooler_hidden_act") is null or "gelu", "\"gelu\"");
        Require(
            read, "pos_att_type", PositionTerms(read).Order(StringComparer.Ordinal).SequenceEqual(["c2p", "p2c"]),
            "\"p2c|c2p\" or the list of both");
    }

    /// <summary>A list of names, or one string of names with bars between.</summary>
    private static IEnumerable<string> PositionTerms(ConfigFields read) => read.Json["pos_att_type"] switch
    {
        JsonArray names => names.Select(n => n?.ToString() ?? ""),
        JsonValue value when value.TryGetValue(out string? text) => text.Split('|').Select(t => t.Trim()),
        _ => [],
    };

    /// <summary>As transformers counts them: the names of labels, else a number, else 2.</summary>
    private static int LabelsOf(ConfigFields read) => read.Json["id2label"] switch
    {
        JsonObject { Count: > 0 } names => names.Count,
        null => Positive(read, "num_labels", 2),
        var other => throw read.Error("id2label", $"is {other.ToJsonString()}, expected names of labels"),
    };

    private static int Positive(ConfigFields read, string name, int otherwise) =>
        read.Has(name) ? read.Positive(name) : otherwise;

    private static int Whole(ConfigFields read, string name, int otherwise) => read.Json[name] switch
    {
        null => otherwise,
        JsonValue value when value.TryGetValue(out int number) => number,
        var other => throw read.Error(name, $"is {other.ToJsonString()}, expected a whole number"),
    };

    private static void Require(ConfigFields read, string name, bool fine, string expected)
    {
        if (!fine)
        {
            throw read.Error(name, $"is {read.Json[name]?.ToJsonString() ?? "missing"}, expected {expected}");
        }
    }
}
