using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Inference;

/// <summary>A model opened to be written as GGUF: whole, or its adapter alone.</summary>
public sealed class ModelExport : IDisposable
{
    private readonly ReferenceBackend _backend = new();
    private readonly ExportRequest _request;
    private readonly LlamaWeights _weights;
    private readonly LoraAdapter? _adapter;
    private readonly ITokenizer? _tokenizer;
    private readonly ModelTokens _tokens;
    private readonly List<string> _notes = [];

    private ModelExport(ExportRequest request)
    {
        _request = request;
        try
        {
            var config = LlamaConfig.Load(request.Model);
            _weights = LlamaWeights.Load(_backend, config, request.Model);
            if (UnusedTensors.Note(request.Model, _weights.Ignored, "the export") is { } unused)
            {
                _notes.Add(unused);
            }

            _adapter = request.Adapter is null ? null : PeftFolder.Load(_backend, config, request.Adapter);
            _tokens = ModelTokens.Read(request.Model);
            if (request.Template is not null)
            {
                _tokenizer = TokenizerLoader.Load(request.Model);
                _notes.AddRange(TokenizerChecks.Check(_tokenizer, _tokens, config.VocabularySize, request.Model));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Remarks for the user, one line each; writing adds to them.</summary>
    public IReadOnlyList<string> Notes => _notes;

    public LlamaConfig Config => _weights.Config;

    /// <summary>How matrices are stored.</summary>
    public GgufFormat Format => _request.Format ?? _weights[LlamaShapes.EmbeddingName].Value.Type switch
    {
        DType.Float16 => GgufFormat.F16,
        DType.BFloat16 => GgufFormat.BF16,
        _ => GgufFormat.F32,
    };

    /// <exception cref="SafeLlamaException">A file is missing, damaged, or does not belong to the others.</exception>
    public static ModelExport Open(ExportRequest request) => new(request);

    /// <summary>Whether the adapter must be folded in, since GGUF has no adapter of its kind.</summary>
    public bool MustFold => _adapter?.Config.Variant == LoraVariant.Dora;

    /// <summary>Writes the model as one file.</summary>
    /// <param name="merged">Whether the adapter is folded in; else the file is the base alone.</param>
    /// <exception cref="SafeLlamaException">GGUF cannot express the model or its tokenizer.</exception>
    public void WriteModel(string path, bool merged = true)
    {
        var tokenizer = GgufTokenizerKeys.None;
        if (_request.Template is { } template)
        {
            tokenizer = GgufTokenizerKeys.Of(_tokenizer!, Config.VocabularySize, _tokens)
                .For(template);
        }

        if (merged && _adapter?.ChangesNothing == true)
        {
            throw SafeLlamaException.InvalidData("The adapter is zero everywhere: the export would be the base alone.");
        }

        if (merged && MustFold)
        {
            _notes.Add("The adapter is DoRA, which GGUF has no adapter for: it is folded into the model's weights.");
        }

        _notes.AddRange(tokenizer.Notes);
        _notes.AddRange(new GgufModel(
            _weights, merged ? _adapter : null, NameOf(_request.Model), Format, tokenizer.Keys, _request.Threads)
            .Write(path));
    }

    /// <summary>Writes the adapter as a file of its own, for this base only.</summary>
    public void WriteAdapter(string path) =>
        GgufAdapter.Write(Require(), Config, NameOf(_request.Adapter!), path);

    /// <summary>The Modelfile of a folder with <c>model.gguf</c>, and <c>adapter.gguf</c> where there is one.</summary>
    public string Modelfile()
    {
        var (template, tokenizer) = (_request.Template!, _tokenizer!);
        var stops = EndTokens.Of(tokenizer, template, _tokens.Eos.Concat(GenerationDefaults.Read(_request.Model).Eos))
            .Where(id => id < tokenizer.VocabularySize)
            .Select(id => tokenizer.Decode([id], keepControl: true));
        string[] lines =
        [
            "FROM ./model.gguf",
            .. _adapter is null || MustFold ? Array.Empty<string>() : ["ADAPTER ./adapter.gguf"],
            $"TEMPLATE \"\"\"{ModelfileForm.Write(TemplateForm.Of(template))}\"\"\"",
            "PARAMETER temperature 0",
            FormattableString.Invariant($"PARAMETER num_ctx {Config.MaxPositions}"),
            .. stops.Select(stop => $"PARAMETER stop \"{stop.Replace("\"", "\\\"", StringComparison.Ordinal)}\""),
        ];
        return string.Join("\n", lines) + "\n";
    }

    public void Dispose()
    {
        _adapter?.Dispose();
        _weights?.Dispose();
        _backend.Dispose();
    }

    private LoraAdapter Require() => _adapter
        ?? throw SafeLlamaException.Usage(
            $"{nameof(ExportRequest.Adapter)}: is missing; it is what is exported alone.");

    private static string NameOf(string path) =>
        Path.GetFileNameWithoutExtension(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
}
