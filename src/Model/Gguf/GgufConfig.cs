using System.Text.Json.Nodes;
using SafeLlama.Common;

namespace SafeLlama.Model;

/// <summary>The shape of a LLaMA as the keys of a GGUF file.</summary>
public static class GgufConfig
{
    private const string Head = "llama.attention.";

    /// <summary>The keys that llama.cpp requires, and those whose absence silently changes its computation.</summary>
    public static IEnumerable<(string Key, object Value)> Keys(LlamaConfig c)
    {
        yield return ("llama.vocab_size", (uint)c.VocabularySize);
        yield return ("llama.context_length", (uint)c.MaxPositions);
        yield return ("llama.embedding_length", (uint)c.HiddenSize);
        yield return ("llama.block_count", (uint)c.Layers);
        yield return ("llama.feed_forward_length", (uint)c.IntermediateSize);
        yield return (Head + "head_count", (uint)c.Heads);
        yield return (Head + "head_count_kv", (uint)c.KeyValueHeads);
        yield return (Head + "key_length", (uint)c.HeadDim);
        yield return (Head + "value_length", (uint)c.HeadDim);
        yield return (Head + "layer_norm_rms_epsilon", (float)c.RmsNormEpsilon);
        yield return ("llama.rope.dimension_count", (uint)c.HeadDim);
        yield return ("llama.rope.freq_base", (float)c.Rope.Theta);
        if (c.Rope.Type == RopeType.Linear)
        {
            yield return ("llama.rope.scaling.type", "linear");
            yield return ("llama.rope.scaling.factor", (float)c.Rope.Factor);
        }
    }

    /// <summary>Reads the shape from keys and tensors.</summary>
    /// <exception cref="SafeLlamaException">It is another architecture, or uses an unsupported feature.</exception>
    public static LlamaConfig Read(GgufHeader file)
    {
        var keys = file.Keys;
        Check(keys);
        var embedding = file.Tensors.GetValueOrDefault(GgufNames.Embedding)
            ?? throw SafeLlamaException.InvalidData(
                $"{file.Path}: tensor '{GgufNames.Embedding}' is missing. The file holds keys alone, or no model.");
        var (hidden, heads) = (keys.Positive("llama.embedding_length"), keys.Positive(Head + "head_count"));
        var config = new LlamaConfig
        {
            VocabularySize = embedding.Dimensions[0],
            HiddenSize = hidden,
            IntermediateSize = keys.Positive("llama.feed_forward_length"),
            Layers = keys.Positive("llama.block_count"),
            Heads = heads,
            KeyValueHeads = keys.Has(Head + "head_count_kv") ? keys.Positive(Head + "head_count_kv") : heads,
            HeadDim = keys.Has(Head + "key_length") ? keys.Positive(Head + "key_length") : hidden / heads,
            RmsNormEpsilon = keys.Number(Head + "layer_norm_rms_epsilon"),
            MaxPositions = keys.Positive("llama.context_length"),
            TieWordEmbeddings = !file.Tensors.ContainsKey(GgufNames.Head),
            AttentionBias = file.Tensors.ContainsKey("blk.0.attn_q.bias"),
            MlpBias = file.Tensors.ContainsKey("blk.0.ffn_gate.bias"),
            BosTokenId = keys.Id("tokenizer.ggml.bos_token_id"),
            EosTokenIds = keys.Id("tokenizer.ggml.eos_token_id") is { } eos ? [eos] : [],
            PadTokenId = keys.Id("tokenizer.ggml.padding_token_id"),
            Rope = Rope(file),
        };
        return CheckShape(keys, config) with { Source = Json(config) };
    }

    private static void Check(GgufKeys keys)
    {
        if (keys.Text("general.architecture") is var name && name != "llama")
        {
            throw keys.Wrong("general.architecture", $"is \"{name}\", expected \"llama\"");
        }

        if (keys.Has("general.type") && keys.Text("general.type") is var type && type != "model")
        {
            throw keys.Wrong("general.type", $"is \"{type}\", expected \"model\"");
        }

        if (keys.Number("split.count", 0) > 1)
        {
            throw keys.Wrong(
                "split.count", "says that the file is one of several; join them with llama.cpp's gguf-split");
        }

        if (keys.Number("llama.expert_count", 0) > 0)
        {
            throw keys.Wrong("llama.expert_count", "is above 0, expected a model without experts");
        }

        if (keys.Has("llama.rope.scaling.type")
            && keys.Text("llama.rope.scaling.type") is var scaling and not ("none" or "linear"))
        {
            throw keys.Wrong("llama.rope.scaling.type", $"is \"{scaling}\", expected \"none\" or \"linear\"");
        }
    }

    private static LlamaConfig CheckShape(GgufKeys keys, LlamaConfig c)
    {
        if (c.Heads % c.KeyValueHeads != 0)
        {
            throw keys.Wrong(Head + "head_count_kv", $"is {c.KeyValueHeads}, expected a divisor of {c.Heads} heads");
        }

        if (c.HeadDim == 0 || c.HeadDim % 2 != 0 || (long)c.Heads * c.HeadDim > int.MaxValue)
        {
            throw keys.Wrong(Head + "key_length", $"is {c.HeadDim}, expected an even number");
        }

        if (c.Rope.Divisors is { } divisors && divisors.Count != c.HeadDim / 2)
        {
            throw SafeLlamaException.InvalidData(
                $"{keys.Path}: tensor '{GgufNames.RopeDivisors}' has {divisors.Count} numbers, expected "
                + $"{c.HeadDim / 2}: one for each pair of a head.");
        }

        Same(Head + "value_length");
        Same("llama.rope.dimension_count");
        if (!(c.RmsNormEpsilon > 0))
        {
            throw keys.Wrong(Head + "layer_norm_rms_epsilon", $"is {c.RmsNormEpsilon}, expected a positive number");
        }

        foreach (var id in c.EosTokenIds.Append(c.BosTokenId ?? 0))
        {
            if (id >= c.VocabularySize)
            {
                throw keys.Wrong(
                    "tokenizer.ggml.eos_token_id / bos_token_id", $"holds {id}, expected ids below {c.VocabularySize}");
            }
        }

        return c;

        void Same(string key)
        {
            if (keys.Has(key) && keys.Positive(key) is var size && size != c.HeadDim)
            {
                throw keys.Wrong(key, $"is {size}, expected the head's size, {c.HeadDim}");
            }
        }
    }

    private static RopeConfig Rope(GgufHeader file)
    {
        var keys = file.Keys;
        var linear = keys.Has("llama.rope.scaling.type") && keys.Text("llama.rope.scaling.type") == "linear";
        var rope = new RopeConfig
        {
            Type = linear ? RopeType.Linear : RopeType.Default,
            Theta = keys.Number("llama.rope.freq_base", 10000),
            Factor = linear ? keys.Number("llama.rope.scaling.factor") : 1,
        };
        if (!(rope.Factor > 0) || !(rope.Theta > 0) || !double.IsFinite(rope.Factor * rope.Theta))
        {
            throw keys.Wrong("llama.rope.freq_base", $"is {rope.Theta} with factor {rope.Factor}, expected positive");
        }

        return file.Tensors.TryGetValue(GgufNames.RopeDivisors, out var tensor)
            ? rope with { Divisors = RopeDivisors.Read(file, tensor) }
            : rope;
    }

    /// <summary>The same shape as a <c>config.json</c>, for folders made from this model.</summary>
    private static JsonObject Json(LlamaConfig c) => new()
    {
        ["architectures"] = new JsonArray("LlamaForCausalLM"),
        ["model_type"] = "llama",
        ["hidden_act"] = "silu",
        ["vocab_size"] = c.VocabularySize,
        ["hidden_size"] = c.HiddenSize,
        ["intermediate_size"] = c.IntermediateSize,
        ["num_hidden_layers"] = c.Layers,
        ["num_attention_heads"] = c.Heads,
        ["num_key_value_heads"] = c.KeyValueHeads,
        ["head_dim"] = c.HeadDim,
        ["max_position_embeddings"] = c.MaxPositions,
        ["rms_norm_eps"] = c.RmsNormEpsilon,
        ["rope_theta"] = c.Rope.Theta,
        ["tie_word_embeddings"] = c.TieWordEmbeddings,
        ["attention_bias"] = c.AttentionBias,
        ["mlp_bias"] = c.MlpBias,
        ["bos_token_id"] = c.BosTokenId,
        ["eos_token_id"] = c.EosTokenIds is [var eos, ..] ? eos : null,
    };
}
