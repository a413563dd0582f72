using System.Text.Json;
using System.Text.Json.Nodes;

namespace SafeLlama.Model;

/// <summary>Reads a <see cref="LlamaConfig"/> from a <c>config.json</c> with old, new or missing keys.</summary>
internal static class LlamaConfigReader
{
    private const string SequenceClassifier = "LlamaForSequenceClassification";

    private static readonly string[] Architectures = ["LlamaForCausalLM", "MistralForCausalLM", SequenceClassifier];

    public static LlamaConfig Read(string file, JsonObject json)
    {
        var read = new ConfigFields(file, json);
        CheckArchitecture(read);
        var hidden = read.Positive("hidden_size");
        var heads = read.Positive("num_attention_heads");
        var config = new LlamaConfig
        {
            VocabularySize = read.Positive("vocab_size"),
            HiddenSize = hidden,
            IntermediateSize = read.Positive("intermediate_size"),
            Layers = read.Positive("num_hidden_layers"),
            Heads = heads,
            KeyValueHeads = read.Has("num_key_value_heads") ? read.Positive("num_key_value_heads") : heads,
            HeadDim = read.Has("head_dim") ? read.Positive("head_dim") : hidden / heads,
            RmsNormEpsilon = read.Number("rms_norm_eps", 1e-6),
            MaxPositions = read.Has("max_position_embeddings") ? read.Positive("max_position_embeddings") : 2048,
            TieWordEmbeddings = read.Flag("tie_word_embeddings"),
            ScoresSequences = json["architectures"] is JsonArray names
                && names.Any(n => n?.ToString() == SequenceClassifier),
            AttentionBias = read.Flag("attention_bias"),
            MlpBias = read.Flag("mlp_bias"),
            InitializerRange = read.Number("initializer_range", 0.02),
            BosTokenId = read.Ids("bos_token_id") is [var bos, ..] ? bos : null,
            EosTokenIds = read.Ids("eos_token_id"),
            PadTokenId = read.Ids("pad_token_id") is [var pad, ..] ? pad : null,
            Rope = RopeConfigReader.Read(read),
            Quantization = Quantization.Read(read),
            Source = (JsonObject)json.DeepClone(),
        };
        Check(read, config);
        return config;
    }

    private static void CheckArchitecture(ConfigFields read)
    {
        if (read.Json["architectures"] is JsonArray { Count: > 0 } names
            && !names.Any(n => Architectures.Contains(n?.ToString())))
        {
            throw read.Error(
                "architectures", $"is {names.ToJsonString()}, expected one of {string.Join(", ", Architectures)}");
        }

        if (read.Text("model_type") is { } type && type is not ("llama" or "mistral"))
        {
            throw read.Error("model_type", $"is \"{type}\", expected \"llama\" or \"mistral\"");
        }

        if (read.Text("hidden_act") is { } activation && activation is not ("silu" or "swish"))
        {
            throw read.Error("hidden_act", $"is \"{activation}\", expected \"silu\"");
        }

        if (read.Json["sliding_window"] is JsonValue window && window.GetValueKind() == JsonValueKind.Number)
        {
            throw read.Error("sliding_window", $"is {window}, expected null: attention here sees the whole context");
        }

        ForeignFields.Refuse(read);
    }

    private static void Check(ConfigFields read, LlamaConfig config)
    {
        if (config.Heads % config.KeyValueHeads != 0)
        {
            throw read.Error(
                "num_key_value_heads",
                $"is {config.KeyValueHeads}, expected a divisor of num_attention_heads {config.Heads}");
        }

        if (config.HeadDim % 2 != 0 || config.HeadDim == 0)
        {
            throw read.Error("head_dim", $"is {config.HeadDim}, expected an even number: rotary embedding turns pairs");
        }

        if ((long)config.Heads * config.HeadDim > int.MaxValue)
        {
            throw read.Error("head_dim", $"is {config.HeadDim}, expected less with {config.Heads} heads");
        }

        if (!(config.RmsNormEpsilon > 0))
        {
            throw read.Error("rms_norm_eps", $"is {config.RmsNormEpsilon}, expected a positive number");
        }

        foreach (var id in config.EosTokenIds.Append(config.BosTokenId ?? 0))
        {
            if (id < 0 || id >= config.VocabularySize)
            {
                throw read.Error(
                    "eos_token_id / bos_token_id",
                    $"holds {id}, expected ids below vocab_size {config.VocabularySize}");
            }
        }
    }
}
