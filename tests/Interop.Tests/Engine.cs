using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Interop.Tests;

/// <summary>A model in our own engine, in fp64: what libllama's numbers are held against.</summary>
internal sealed class Engine : IDisposable
{
    private readonly ReferenceBackend _backend = new();
    private readonly Llama _model;

    /// <param name="path">A folder or a GGUF file.</param>
    /// <param name="adapter">A PEFT folder, or null.</param>
    public Engine(string path, string? adapter = null)
    {
        var config = LlamaConfig.Load(path);
        Weights = LlamaWeights.Load(_backend, config, path);
        Adapter = adapter is null ? null : PeftFolder.Load(_backend, config, adapter);
        _model = new Llama(_backend, Weights, Adapter, Math.Min(config.MaxPositions, 512));
    }

    public LlamaWeights Weights { get; }

    public LoraAdapter? Adapter { get; }

    public LlamaConfig Config => Weights.Config;

    /// <summary>Writes the model, the adapter folded in, and gives the file's path.</summary>
    public string Export(GgufFormat format, ITokenizer? tokenizer = null, ModelTokens? tokens = null)
    {
        var path = Path.Combine(TestFiles.NewFolder(), "model.gguf");
        var keys = tokenizer is null
            ? GgufTokenizerKeys.None
            : GgufTokenizerKeys.Of(tokenizer, Config.VocabularySize, tokens ?? new(null, [], null, null));
        new GgufModel(Weights, Adapter, "test", format, keys.Keys, Threads: 2).Write(path);
        return path;
    }

    /// <summary>[T][V].</summary>
    public double[][] Logits(int[] tokens)
    {
        using var workspace = new Workspace(_model, tokens.Length, forBackward: false);
        var pass = workspace.For(tokens.Length);
        var none = new int[tokens.Length];
        Array.Fill(none, -1);
        pass.Batch.Upload(tokens, [.. Enumerable.Range(0, tokens.Length)], new int[tokens.Length], none);
        _model.Forward(pass);
        using var arena = new Arena(_backend, "rows");
        var rows = arena.Take(new(tokens.Length), DType.Int32, "rows");
        arena.Commit();
        rows.Write([.. Enumerable.Range(0, tokens.Length)]);
        return
        [
            .. Enumerable.Range(0, tokens.Length).Chunk(pass.Head.ChunkRows)
                .SelectMany(part => _model.Logits(pass, rows.SliceVector(part[0], part.Length)).ReadDoubles()
                    .Chunk(Config.VocabularySize)),
        ];
    }

    public void Dispose()
    {
        _model.Dispose();
        Adapter?.Dispose();
        Weights.Dispose();
        _backend.Dispose();
    }
}
