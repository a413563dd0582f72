using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Study;

/// <summary>A base model opened for one job: backend, weights, tokenizer, and an adapter where there is one.</summary>
internal sealed class OpenModel : IDisposable
{
    private readonly LlamaWeights _weights;

    private OpenModel(IBackend backend, LlamaConfig config, LlamaWeights weights, ITokenizer tokenizer) =>
        (Backend, Config, _weights, Tokenizer) = (backend, config, weights, tokenizer);

    public IBackend Backend { get; }

    public LlamaConfig Config { get; }

    public ITokenizer Tokenizer { get; }

    public LoraAdapter? Adapter { get; private set; }

    public Llama Llama { get; private set; } = null!;

    public LlamaWeights Weights => _weights;

    /// <summary>Opens a checkpoint folder.</summary>
    /// <param name="backend">Owned from here on.</param>
    /// <param name="folder">Config, weights, tokenizer.</param>
    /// <param name="maxLength">The longest sequence.</param>
    /// <param name="adapter">Makes or loads the adapter; null for the base as it is.</param>
    public static OpenModel Open(
        IBackend backend, string folder, int maxLength, Func<IBackend, LlamaConfig, LoraAdapter>? adapter)
    {
        var config = LlamaConfig.Load(folder);
        var opened = new OpenModel(
            backend, config, LlamaWeights.Load(backend, config, folder), TokenizerLoader.Load(folder));
        try
        {
            opened.Adapter = adapter?.Invoke(backend, config);
            opened.Llama =
                new Llama(backend, opened._weights, opened.Adapter, Math.Min(maxLength, config.MaxPositions));
            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>The ids of a prompt, to generate from.</summary>
    public int[] PromptIds(PromptTemplate template, string request) =>
        SegmentEncoder.Ids(Tokenizer, template.RenderPrompt(request));

    public void Dispose()
    {
        Llama?.Dispose();
        Adapter?.Dispose();
        _weights.Dispose();
        Backend.Dispose();
    }
}
