using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Inference;

/// <summary>A model folder opened for use: weights, tokenizer, template, and an adapter if there is one.</summary>
public sealed class LlamaSession : IDisposable
{
    /// <summary>
    /// Rotary tables for so many positions take 67 MB at 128 features a head; a longer context is asked for.
    /// </summary>
    private const int MostUnasked = 131_072;

    private readonly Lazy<ModelIdentity> _identity;
    private readonly bool _ownsBackend;

    private LlamaSession(
        string folder, SessionOptions options, Llama model, LlamaWeights weights, ITokenizer tokenizer,
        IReadOnlyList<string> notes)
    {
        (Model, Weights, Tokenizer, Notes) = (model, weights, tokenizer, notes);
        (Template, _ownsBackend) = (options.Template, options.OwnsBackend);
        _identity = new(() => ModelIdentity.Of(
            folder, options.Adapter, tokenizer.Hash, Template.Identity, options.Load, model.Backend.Operands));
    }

    public Llama Model { get; }

    public LlamaWeights Weights { get; }

    public LoraAdapter? Adapter => Model.Adapter;

    public ITokenizer Tokenizer { get; }

    public PromptTemplate Template { get; }

    /// <summary>Hashes of everything that the answers depend on; the first call reads the files.</summary>
    public ModelIdentity Identity => _identity.Value;

    /// <summary>Remarks for the user, one line each: padding rows, unused tensors, an adapter without effect.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>
    /// The ids that end an answer: those of config.json, generation_config.json and tokenizer, and the one the template
    /// closes a turn with.
    /// </summary>
    public IReadOnlyList<int> EndTokens => EndTokensOf(Template);

    /// <summary>The ids by which <c>generation_config.json</c> ends an answer.</summary>
    private IReadOnlyList<int> SuggestedEnds { get; init; } = [];

    /// <summary>Opens a folder in Hugging Face layout, or a GGUF file.</summary>
    /// <param name="backend">Where to compute; it outlives the session, unless the session owns it.</param>
    /// <exception cref="SafeLlamaException">A file is missing, damaged, or does not belong to the others.</exception>
    public static LlamaSession Open(IBackend backend, string folder, SessionOptions? options = null)
    {
        options ??= new SessionOptions();
        LlamaWeights? weights = null;
        LoraAdapter? adapter = null;
        var choices = new List<LoraAdapter>();
        try
        {
            if (options.MaxLength is < 0 or 1)
            {
                throw SafeLlamaException.Usage(
                    $"`{nameof(options.MaxLength)}` {options.MaxLength}: expected 0, or at least 2 tokens.");
            }

            var config = LlamaConfig.Load(folder);
            var tokenizer = TokenizerLoader.Load(folder);
            var generation = GenerationDefaults.Read(folder);
            var notes = TokenizerChecks.Check(
                tokenizer, ModelTokens.Read(folder), config.VocabularySize, folder, generation).ToList();
            if (options.TemplateName is { } name)
            {
                var chosen = TemplateResolver.Choose(
                    name, tokenizer, folder, options.Adapter, options.Template);
                options = options with { Template = chosen.Template };
                notes.AddRange(chosen.Notes);
            }

            if (options.MaxLength > config.MaxPositions)
            {
                throw SafeLlamaException.Usage(
                    $"Prompt and answer may have {options.MaxLength} tokens, but {folder} was made for "
                    + $"{config.MaxPositions} (max_position_embeddings).",
                    $"lower `{nameof(options.MaxLength)}`");
            }

            weights = LlamaWeights.Load(backend, config, folder, options.Load);
            if (UnusedTensors.Note(folder, weights.Ignored) is { } unused)
            {
                notes.Add(unused);
            }

            notes.AddRange(weights.Notes);
            adapter = options.Adapter is { } path
                ? PeftFolder.Load(backend, config, path, options.ForGradients)
                : options.NewAdapter?.Invoke(backend, weights);
            if (options.Adapter is { } from)
            {
                notes.AddRange(adapter!.Notes(from));
            }

            foreach (var choice in options.Choices)
            {
                choices.Add(PeftFolder.Load(backend, config, choice));
                notes.AddRange(choices[^1].Notes(choice));
            }

            var length = options.MaxLength > 0 ? options.MaxLength : Math.Min(config.MaxPositions, MostUnasked);
            if (options.MaxLength == 0 && length < config.MaxPositions)
            {
                notes.Add($"{folder}: was made for {config.MaxPositions} tokens "
                    + $"(max_position_embeddings) and is opened "
                    + $"for {length}; ask for more where you need them.");
            }

            var model = new Llama(backend, weights, adapter, length, choices);
            return new(folder, options, model, weights, tokenizer, notes)
            {
                SuggestedEnds = generation.Eos,
            };
        }
        catch
        {
            adapter?.Dispose();
            choices.ForEach(choice => choice.Dispose());
            weights?.Dispose();
            if (options.OwnsBackend)
            {
                backend.Dispose();
            }

            throw;
        }
    }

    /// <summary>The ids that end an answer to a prompt of another template.</summary>
    public IReadOnlyList<int> EndTokensOf(PromptTemplate template) =>
        Inference.EndTokens.Of(Tokenizer, template, [.. Model.Config.EosTokenIds, .. SuggestedEnds]);

    /// <summary>The settings with this model's end tokens and with its limit of ids that are text.</summary>
    public DecodingConfig Decoding(DecodingConfig settings) =>
        settings with { EosIds = EndTokens, TokenLimit = Tokenizer.VocabularySize };

    /// <summary>The ids of a row's prompt, to generate from.</summary>
    public int[] PromptIds(TrainingExample row) => SegmentEncoder.Ids(Tokenizer, Template.RenderPrompt(row));

    /// <summary>The ids of one request, to generate from.</summary>
    public int[] PromptIds(string request) => SegmentEncoder.Ids(Tokenizer, Template.RenderPrompt(request));

    /// <summary>The text of an answer, its end token left out.</summary>
    public string Decode(Generation answer) => Tokenizer.Decode([.. answer.Text]);

    /// <summary>
    /// The text that an answer adds to its prompt: the prompt and this text together are the text of all the tokens.
    /// </summary>
    public string Continuation(int[] prompt, Generation answer)
    {
        var decoder = new ContinuationDecoder(Tokenizer, prompt);
        return string.Concat(answer.Text.Select(decoder.Append)) + decoder.Finish();
    }

    public void Dispose()
    {
        var backend = Model.Backend;
        Model.Dispose();
        Adapter?.Dispose();
        foreach (var choice in Model.Choices)
        {
            choice.Dispose();
        }

        Weights.Dispose();
        if (_ownsBackend)
        {
            backend.Dispose();
        }
    }
}
