using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Evaluation;

/// <summary>A model folder opened for use: weights, tokenizer, and an adapter if there is one.</summary>
public sealed class LlamaSession : IDisposable
{
    private readonly LlamaWeights _weights;

    private LlamaSession(
        LlamaWeights weights, LoraAdapter? adapter, Llama model, ITokenizer tokenizer, IReadOnlyList<string> notes)
    {
        (_weights, Adapter, Model, Tokenizer, Notes) = (weights, adapter, model, tokenizer, notes);
    }

    public Llama Model { get; }

    public LlamaWeights Weights => _weights;

    public LoraAdapter? Adapter { get; }

    public ITokenizer Tokenizer { get; }

    /// <summary>
    /// What a user should know of this model, a line each: padding rows, unused tensors, an adapter without effect.
    /// </summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>Opens a folder in Hugging Face layout, or a GGUF file.</summary>
    /// <param name="backend">Where to compute; it outlives the session.</param>
    /// <param name="adapterFolder">A PEFT folder, or null.</param>
    /// <param name="maxLength">The longest sequence, prompt and answer together, in tokens; 0 takes what the model was
    /// made for, at most 4096.</param>
    /// <exception cref="SafeLlamaException">A file is missing, damaged, or does not belong to the others.</exception>
    public static LlamaSession Open(IBackend backend, string modelFolder, string? adapterFolder, int maxLength = 0)
    {
        var config = LlamaConfig.Load(modelFolder);
        var tokenizer = TokenizerLoader.Load(modelFolder);
        var notes = TokenizerChecks.Check(
            tokenizer, ModelTokens.Read(modelFolder), config.VocabularySize,
            modelFolder).ToList();
        if (maxLength > config.MaxPositions)
        {
            throw SafeLlamaException.Usage(
                $"Prompt and answer may have {maxLength} tokens, but {modelFolder} was made for {config.MaxPositions} "
                + "(max_position_embeddings).");
        }

        var weights = LlamaWeights.Load(backend, config, modelFolder);
        LoraAdapter? adapter = null;
        try
        {
            if (weights.Ignored.Count > 0)
            {
                notes.Add($"{modelFolder}: {weights.Ignored.Count} tensors have no use in this model: "
                    + $"{string.Join(", ", weights.Ignored.Take(3))}…");
            }

            notes.AddRange(weights.Notes);
            adapter = adapterFolder is null ? null : PeftFolder.Load(backend, config, adapterFolder);
            if (adapter?.ChangesNothing == true)
            {
                notes.Add($"{adapterFolder}: the adapter is zero everywhere and changes nothing.");
            }

            var model = new Llama(
                backend, weights, adapter, maxLength > 0 ? maxLength : Math.Min(config.MaxPositions, 4096));
            return new LlamaSession(weights, adapter, model, tokenizer, notes);
        }
        catch
        {
            adapter?.Dispose();
            weights.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The ids that end an answer: those of config and tokenizer, and the one the template closes a turn with.
    /// </summary>
    public IReadOnlyList<int> EndTokens(PromptTemplate template)
    {
        var last = template.Render(new InstructionExample("q", "", "a"))[^1];
        int?[] ids = [Tokenizer.EosId, last.Kind == SegmentKind.Control ? Tokenizer.ControlId(last.Value) : null];
        return [.. ids.OfType<int>().Concat(Model.Config.EosTokenIds).Distinct()];
    }

    /// <summary>The text of an answer, its end token left out.</summary>
    public string Decode(Generation answer) => Tokenizer.Decode([.. answer.Text]);

    public void Dispose()
    {
        Model.Dispose();
        Adapter?.Dispose();
        _weights.Dispose();
    }
}
