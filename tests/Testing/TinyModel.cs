using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Testing;

/// <summary>
/// A model folder in Hugging Face layout with drawn weights and the reference tokenizer: small, real, untrained.
/// </summary>
public static class TinyModel
{
    /// <summary>Writes the folder; the same seed gives the same weights.</summary>
    public static string Write(string folder, long seed = 1, int maxPositions = 512)
    {
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.GetFiles(Path.Combine(TestFiles.Reference, "tokenizer", "sp")))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        File.WriteAllText(Path.Combine(folder, "config.json"), $$"""
            {
              "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "bos_token_id": 1,
              "eos_token_id": 2, "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4,
              "num_key_value_heads": 2, "num_hidden_layers": 2, "max_position_embeddings": {{maxPositions}},
              "rms_norm_eps": 1e-06, "tie_word_embeddings": false, "initializer_range": 0.2, "vocab_size": 720
            }
            """);
        using var backend = new ReferenceBackend();
        using var weights = LlamaWeights.InitializeRandom(backend, LlamaConfig.Load(folder), seed);
        weights.Save(Path.Combine(folder, "model.safetensors"), DType.Float32);
        return folder;
    }
}
