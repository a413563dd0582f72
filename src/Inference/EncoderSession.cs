using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Inference;

/// <summary>An encoder classifier's folder opened for use: weights, tokenizer and head.</summary>
public sealed class EncoderSession : IDisposable
{
    /// <summary>The longest input, in tokens: what DeBERTa-v3 classifiers are trained with.</summary>
    public const int MaxTokens = 512;

    /// <summary>Tokens of a pass: enough for products to be efficient, and some 150 MB of activations.</summary>
    private const int RowsPerPass = 2048;

    /// <summary>
    /// A pass has at least so many tokens and at most so many texts beside a filler: within these bounds every product
    /// sums in one order, so a score does not depend on the texts beside it.
    /// </summary>
    private const int LeastRows = 128;
    private const int MostTexts = 14;

    private readonly Lazy<ModelIdentity> _identity;
    private readonly bool _ownsBackend;
    private EncoderWorkspace? _workspace;

    private EncoderSession(
        string folder, string? trained, EncoderClassifier model, UnigramTokenizer tokenizer,
        IReadOnlyList<string> notes, bool ownsBackend)
    {
        (Model, Tokenizer, Notes, _ownsBackend) = (model, tokenizer, notes, ownsBackend);
        _identity = new(() => ModelIdentity.Of(folder, trained, tokenizer.Hash, "encoder"));
    }

    public EncoderClassifier Model { get; }

    public UnigramTokenizer Tokenizer { get; }

    /// <summary>Hashes of all the logits depend on; the files are read at the first call.</summary>
    public ModelIdentity Identity => _identity.Value;

    /// <summary>What a user should know of this model, a line each: unused tensors, rows without a piece.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>Opens a folder in Hugging Face layout: config.json, model.safetensors, spm.model.</summary>
    /// <param name="backend">Where to compute; it outlives the session, unless the session owns it.</param>
    /// <param name="trained">Where an adapter and a head of one output were trained on it, or null.</param>
    /// <param name="ownsBackend">The session closes the backend, also where opening fails.</param>
    /// <exception cref="SafeLlamaException">A file is missing, damaged, or does not belong to the others.</exception>
    public static EncoderSession Open(
        IBackend backend, string folder, string? trained = null, bool ownsBackend = false)
    {
        EncoderWeights? weights = null;
        LoraAdapter? adapter = null;
        try
        {
            var config = EncoderConfig.Load(folder);
            config = trained is null ? config : config with { Labels = 1 };
            var tokenizer = UnigramTokenizer.Load(folder);
            if (tokenizer.PieceCount > config.VocabularySize)
            {
                throw SafeLlamaException.InvalidData(
                    $"{folder}: {UnigramTokenizer.FileName} has {tokenizer.PieceCount} pieces, and config.json gives "
                    + $"\"vocab_size\" {config.VocabularySize}, expected at least as many. Does the tokenizer belong "
                    + "to this model?");
            }

            weights = EncoderWeights.Load(
                backend, config, folder, trained is null ? EncoderLearning.Nothing : EncoderLearning.Head);
            if (trained is not null)
            {
                weights.LoadHead(trained);
                adapter = PeftFolder.Load(backend, LoraSite.Of(config), trained);
            }

            return new(
                folder, trained, new EncoderClassifier(backend, weights, MaxTokens, adapter), tokenizer,
                [.. NotesOn(folder, weights, tokenizer)], ownsBackend);
        }
        catch
        {
            adapter?.Dispose();
            weights?.Dispose();
            if (ownsBackend)
            {
                backend.Dispose();
            }

            throw;
        }
    }

    /// <summary>
    /// What the checkpoint holds beside the model's weights, and rows of embeddings that no piece names.
    /// </summary>
    public static IEnumerable<string> NotesOn(string folder, EncoderWeights weights, UnigramTokenizer tokenizer)
    {
        if (UnusedTensors.Note(folder, weights.Ignored) is { } unused)
        {
            yield return unused;
        }

        // [MASK] stands behind the pieces, and has a row.
        if (weights.Config.VocabularySize > tokenizer.PieceCount + 1)
        {
            yield return $"{folder}: vocab_size is {weights.Config.VocabularySize}, and {UnigramTokenizer.FileName} "
                + $"has {tokenizer.PieceCount} pieces; the rows behind them are never read.";
        }
    }

    /// <summary>The logits of inputs, worked out in batches of like length; order and count are the caller's.</summary>
    /// <param name="inputs">Token ids of each, [CLS] first.</param>
    /// <returns>For each input its labels' logits.</returns>
    public double[][] Logits(IReadOnlyList<int[]> inputs, CancellationToken cancellation = default)
    {
        var logits = new double[inputs.Count][];
        var labels = Model.Config.Labels;
        foreach (var batch in Batches(inputs))
        {
            cancellation.ThrowIfCancellationRequested();
            List<int[]> sequences = [.. batch.Select(i => inputs[i])];
            if (sequences.Sum(s => s.Length) is var rows and < LeastRows)
            {
                sequences.Add([.. Enumerable.Repeat(Tokenizer.PadId, LeastRows - rows)]);
            }

            var workspace = WorkspaceFor(sequences.Sum(s => s.Length), sequences.Count);
            var (values, _) = Model.Forward(sequences, workspace);
            for (var b = 0; b < batch.Count; b++)
            {
                logits[batch[b]] = values[(b * labels)..((b + 1) * labels)];
            }
        }

        return logits;
    }

    public void Dispose()
    {
        var backend = Model.Backend;
        _workspace?.Dispose();
        Model.Dispose();
        Model.Adapter?.Dispose();
        Model.Weights.Dispose();
        if (_ownsBackend)
        {
            backend.Dispose();
        }
    }

    /// <summary>The longest first, so that the first pass needs the most memory; equals in their order.</summary>
    private static IEnumerable<List<int>> Batches(IReadOnlyList<int[]> inputs)
    {
        var batch = new List<int>();
        var rows = 0;
        foreach (var i in Enumerable.Range(0, inputs.Count).OrderByDescending(i => inputs[i].Length))
        {
            if (batch.Count > 0 && (batch.Count == MostTexts || rows + inputs[i].Length > RowsPerPass))
            {
                yield return batch;
                (batch, rows) = ([], 0);
            }

            batch.Add(i);
            rows += inputs[i].Length;
        }

        if (batch.Count > 0)
        {
            yield return batch;
        }
    }

    private EncoderWorkspace WorkspaceFor(int rows, int sequences)
    {
        if (_workspace is null || _workspace.MaxRows < rows || _workspace.MaxSequences < sequences)
        {
            var (oldRows, oldSequences) = (_workspace?.MaxRows ?? 0, _workspace?.MaxSequences ?? 0);
            _workspace?.Dispose();
            _workspace = null;
            _workspace = new EncoderWorkspace(
                Model, Math.Max(rows, oldRows), Math.Max(sequences, oldSequences), forBackward: false);
        }

        return _workspace;
    }
}
