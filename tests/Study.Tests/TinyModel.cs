using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Study.Tests;

/// <summary>A random LLaMA of two small blocks with a tokenizer of the world: quick to train, knows nothing.</summary>
internal static class TinyModel
{
    private static readonly Lazy<string> Made = new(Make);

    public static string Folder => Made.Value;

    private static string Make()
    {
        var folder = TestFiles.NewFolder();
        var texts = new World(new WorldDials { PretrainingTokens = 20_000 }).Pretraining(1);
        var trained = BpeTrainer.Train(texts, new BpeTrainerOptions { VocabularySize = 700 });
        trained.Write(folder);
        File.WriteAllText(
            Path.Combine(folder, "config.json"),
            $$"""
            {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "hidden_size": 32,
             "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
             "vocab_size": {{trained.Tokenizer.VocabularySize}}, "max_position_embeddings": 256, "rms_norm_eps": 1e-05,
             "rope_theta": 10000.0, "tie_word_embeddings": false, "initializer_range": 0.1, "bos_token_id": 1,
             "eos_token_id": 2, "torch_dtype": "float32"}
            """);
        using var backend = new CpuBackend(1);
        using var weights = LlamaWeights.InitializeRandom(backend, LlamaConfig.Load(folder), 1);
        weights.Save(Path.Combine(folder, "model.safetensors"), DType.Float32);
        return folder;
    }
}
