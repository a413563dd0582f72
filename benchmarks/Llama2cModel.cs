using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text;
using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Benchmarks;

/// <summary>
/// The random model in the format that llama2.c reads (its version 0), so that both decode the same weights.
/// </summary>
/// <remarks>
/// Seven integers (dim, hidden_dim, n_layers, n_heads, n_kv_heads, −vocab_size where the head is its own, seq_len),
/// then all layers of one weight after the other, in fp32. llama2.c pairs neighboring columns in its rotary embedding
/// where ours pairs halves; the rows of q and k are not reordered for it, so its text differs while its work does not.
/// </remarks>
internal static class Llama2cModel
{
    public static Command Create()
    {
        var config = CommandOptions.One("--config", "small", "tiny, small or gqa");
        var length = CommandOptions.One("--length", 256, "most tokens of a generation");
        var folder = new Option<string>("--out")
        {
            Required = true,
            Description = "where CONFIG.bin and CONFIG-tokenizer.bin go",
        };
        var command = new Command("llama2c", "writes a model and a tokenizer for the peer llama2.c")
        {
            config, length, folder,
        };
        command.SetAction(parsed => Write(
            ModelShapes.ByName(parsed.GetValue(config)!), parsed.GetValue(length),
            Directory.CreateDirectory(parsed.GetValue(folder)!).FullName));
        return command;
    }

    private static void Write(ModelShape shape, int length, string folder)
    {
        using var backend = new CpuBackend(threads: 1);
        using var weights = LlamaWeights.Load(backend, shape.Config, RandomModel.Folder(shape, DType.Float32));
        OutputFile.Write(Path.Combine(folder, $"{shape.Name}.bin"), stream => WriteModel(weights, length, stream));
        OutputFile.Write(
            Path.Combine(folder, $"{shape.Name}-tokenizer.bin"),
            stream => WriteTokenizer(shape.Config.VocabularySize, stream));
    }

    private static void WriteModel(LlamaWeights weights, int length, Stream stream)
    {
        var c = weights.Config;
        using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        foreach (var value in (int[])
            [c.HiddenSize, c.IntermediateSize, c.Layers, c.Heads, c.KeyValueHeads, -c.VocabularySize, length])
        {
            writer.Write(value);
        }

        void Put(string name) => writer.Write(MemoryMarshal.AsBytes<float>(weights[name].Value.ReadFloats()));
        void PutOfEveryLayer(Func<int, string> name)
        {
            for (var layer = 0; layer < c.Layers; layer++)
            {
                Put(name(layer));
            }
        }

        Put(LlamaShapes.EmbeddingName);
        PutOfEveryLayer(layer => $"model.layers.{layer}.input_layernorm.weight");
        foreach (var linear in (string[])["q_proj", "k_proj", "v_proj", "o_proj"])
        {
            PutOfEveryLayer(layer => $"{LlamaShapes.Module(layer, linear)}.weight");
        }

        PutOfEveryLayer(layer => $"model.layers.{layer}.post_attention_layernorm.weight");
        foreach (var linear in (string[])["gate_proj", "down_proj", "up_proj"])
        {
            PutOfEveryLayer(layer => $"{LlamaShapes.Module(layer, linear)}.weight");
        }

        Put(LlamaShapes.FinalNormName);

        // Tables of cosines and sines: the format keeps their place, newer versions of the program skip it.
        for (var part = 0; part < 2; part++)
        {
            for (var i = 0; i < length * c.HeadDim / 2; i++)
            {
                var angle = i / (c.HeadDim / 2) * Math.Pow(c.Rope.Theta, -2.0 * (i % (c.HeadDim / 2)) / c.HeadDim);
                writer.Write((float)(part == 0 ? Math.Cos(angle) : Math.Sin(angle)));
            }
        }

        Put(LlamaShapes.HeadName);
    }

    /// <summary>A piece for every token, none longer than its number: what is measured is not its text.</summary>
    private static void WriteTokenizer(int tokens, Stream stream)
    {
        using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        writer.Write(8);
        for (var token = 0; token < tokens; token++)
        {
            var piece = Encoding.ASCII.GetBytes($" {token}");
            writer.Write(0f);
            writer.Write(piece.Length);
            writer.Write(piece);
        }
    }
}
