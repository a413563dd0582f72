using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Inference.Tests;

/// <summary>A checkpoint folder without a tokenizer, asked for logits.</summary>
internal sealed class Opened : IDisposable
{
    public Opened(IBackend backend, string folder)
    {
        var config = LlamaConfig.Load(folder);
        Weights = LlamaWeights.Load(backend, config, folder);
        Llama = new Llama(backend, Weights, adapter: null, maxLength: 64);
    }

    public LlamaWeights Weights { get; }

    public Llama Llama { get; }

    /// <summary>The logits of every token of every row.</summary>
    public double[] Logits(int[][] rows, IStreamHook? hook)
    {
        Llama.Hook = hook;
        using var reader = new ResidualReader(Llama);
        var logits = rows.SelectMany(row => Enumerable.Range(1, row.Length)
            .SelectMany(i => reader.Lens(row, i - 1 - row.Length)[^1])).ToArray();
        Llama.Hook = null;
        return logits;
    }

    public void Dispose()
    {
        Llama.Dispose();
        Weights.Dispose();
    }
}
