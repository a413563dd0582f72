using LLama.Exceptions;
using LLama.Native;

namespace SafeLlama.Interop.Tests;

/// <summary>A GGUF file in libllama, set so that its numbers can be held against fp32.</summary>
internal sealed class Libllama : IDisposable
{
    private static readonly List<string> Lines = [];

    // Kept in a field: libllama calls it as long as the process lives.
    private static readonly NativeLogConfig.LLamaLogCallback Callback = (level, text) => Lines.Add($"{level}: {text}");

    private static readonly string? WhyNot = Start();

    private readonly SafeLlamaModelHandle _model;
    private readonly SafeLLamaContextHandle? _context;

    /// <param name="tokenizerOnly">Reads no weights; a file without tensors will do.</param>
    /// <exception cref="InvalidDataException">libllama refuses the file.</exception>
    public Libllama(string path, bool tokenizerOnly = false)
    {
        MustBeThere();
        Lines.Clear();
        var settings = LLamaModelParams.Default();
        settings.vocab_only = tokenizerOnly;
        settings.n_gpu_layers = 0;
        try
        {
            _model = SafeLlamaModelHandle.LoadFromFile(path, settings);
        }
        catch (LoadWeightsFailedException e)
        {
            throw new InvalidDataException(Errors, e); // the exception itself says only "Failed to load model"
        }

        if (!tokenizerOnly)
        {
            _context = _model.CreateContext(ContextSettings((uint)_model.ContextSize));
        }
    }

    /// <summary>What libllama said is wrong since the file was opened.</summary>
    public static string Errors => string.Join(" / ", Lines.Where(l => l.StartsWith("Error")).Select(l => l.Trim()));

    /// <summary>Skips the test, with the reason, where libllama cannot be loaded.</summary>
    public static void MustBeThere()
    {
        if (WhyNot is not null)
        {
            Assert.Ignore($"libllama cannot be loaded here: {WhyNot}");
        }
    }

    /// <summary>Stores a file's matrices in another form.</summary>
    public static void Quantize(string from, string to, LLamaFtype type, bool again = false)
    {
        MustBeThere();
        var settings = LLamaModelQuantizeParams.Default();
        (settings.ftype, settings.nthread, settings.allow_requantize) = (type, 1, again);
        Assert.That(NativeApi.llama_model_quantize(from, to, ref settings), Is.Zero, Errors);
    }

    /// <summary>Without BOS; control tokens in the text stay text.</summary>
    public int[] Tokenize(string text) =>
        [.. _model.Tokenize(text, false, false, System.Text.Encoding.UTF8).Select(t => (int)t)];

    /// <summary>[T][V], a row for each token.</summary>
    public float[][] Logits(ReadOnlySpan<int> tokens)
    {
        _context!.MemoryClear(true);
        var batch = new LLamaBatch();
        for (var i = 0; i < tokens.Length; i++)
        {
            batch.Add(tokens[i], i, LLamaSeqId.Zero, logits: true);
        }

        return _context.Decode(batch) == DecodeResult.Ok
            ? [.. Enumerable.Range(0, tokens.Length).Select(i => _context.GetLogitsIth(i).ToArray())]
            : throw new InvalidOperationException(Errors);
    }

    /// <summary>The likeliest tokens after a prompt, one after the other.</summary>
    public List<int> Greedy(int[] prompt, int count)
    {
        _context!.MemoryClear(true);
        var (tokens, next) = (new List<int>(), prompt);
        for (var (at, step) = (0, 0); step < count; step++)
        {
            var batch = new LLamaBatch();
            foreach (var token in next)
            {
                batch.Add(token, at++, LLamaSeqId.Zero, logits: true);
            }

            Assert.That(_context.Decode(batch), Is.EqualTo(DecodeResult.Ok), Errors);
            var logits = _context.GetLogitsIth(next.Length - 1);
            tokens.Add(System.Numerics.Tensors.TensorPrimitives.IndexOfMax(logits));
            next = [tokens[^1]];
        }

        return tokens;
    }

    /// <summary>Puts an adapter's file beside the weights; null takes it away.</summary>
    public void Adapter(string? path, float scale)
    {
        if (path is null)
        {
            _context!.SetLoraAdapters();
            return;
        }

        Lines.Clear();
        var adapter = _model.LoadLoraFromFile(path);
        if (Errors.Length > 0) // a null pointer is handed out instead of an exception, and using it ends the process
        {
            throw new InvalidDataException(Errors);
        }

        _context!.SetLoraAdapters((adapter, scale));
    }

    public void Dispose()
    {
        _context?.Dispose();
        _model.Dispose();
    }

    /// <summary>The key-value cache in fp32 and no flash attention: the defaults cost 5e-3 and more.</summary>
    private static LLamaContextParams ContextSettings(uint size)
    {
        var context = LLamaContextParams.Default();
        context.n_ctx = context.n_batch = context.n_ubatch = size; // a prompt in one batch
        context.n_seq_max = 1;
        context.n_threads = context.n_threads_batch = 1;
        context.type_k = context.type_v = GGMLType.GGML_TYPE_F32;
        context.llama_flash_attn_type = LLamaFlashAttentionType.LLAMA_FLASH_ATTENTION_TYPE_DISABLED;
        return context;
    }

    private static string? Start()
    {
        try
        {
            NativeLibraryConfig.All.WithLogCallback(Callback); // before anything else of the library is touched
            NativeApi.llama_empty_call();                      // finds and loads libllama; nothing else does
            return null;
        }
        catch (Exception e) when (e is RuntimeError or TypeInitializationException or DllNotFoundException
            or BadImageFormatException or PlatformNotSupportedException)
        {
            return (e.InnerException ?? e).Message.ReplaceLineEndings(" ");
        }
    }
}
