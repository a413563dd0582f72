using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Inference;

/// <summary>An encoder classifier's folder opened for use: weights, tokenizer and head.</summary>
public sealed class EncoderSession : IDisposable
{
    /// <summary>The longest input in tokens, the length that DeBERTa-v3 classifiers are trained with.</summary>
    public const int MaxTokens = 512;

    /// <summary>
    /// Tokens of a pass, the first that fits: with many, products are efficient; the last holds one longest text.
    /// </summary>
    private static readonly int[] RowsOfPasses = [2048, 1024, MaxTokens];

    /// <summary>
    /// A pass has at least so many tokens and at most so many texts beside a filler: within these bounds every product
    /// sums in one order, so a score does not depend on the texts beside it.
    /// </summary>
    private const int LeastRows = 128;
    private const int MostTexts = 14;

    private readonly Lazy<ModelIdentity> _identity;
    private readonly bool _ownsBackend;
    private readonly int _rowsPerPass;
    private EncoderWorkspace? _workspace;

    private EncoderSession(
        string folder, EncoderSessionOptions options, EncoderClassifier model, UnigramTokenizer tokenizer,
        EncoderPassPlan plan)
    {
        (Model, Tokenizer, Memory, _rowsPerPass) = (model, tokenizer, plan.Memory, plan.Rows);
        Notes = [.. NotesOn(folder, model.Weights, tokenizer), .. plan.Notes];
        _ownsBackend = options.OwnsBackend;
        _identity = new(() => ModelIdentity.Of(
            folder, options.Trained, tokenizer.Hash, "encoder", operands: model.Backend.Operands));
    }

    public EncoderClassifier Model { get; }

    public UnigramTokenizer Tokenizer { get; }

    /// <summary>The most memory that the session needs, planned before any is allocated.</summary>
    public MemoryPlan Memory { get; }

    /// <summary>Hashes of everything that the logits depend on; the first call reads the files.</summary>
    public ModelIdentity Identity => _identity.Value;

    /// <summary>Remarks for the user, one line each: unused tensors, rows without a piece.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>Opens a folder in Hugging Face layout: config.json, model.safetensors, spm.model.</summary>
    /// <param name="backend">Where to compute; it outlives the session, unless the session owns it.</param>
    /// <exception cref="SafeLlamaException">
    /// A file is missing, damaged, or does not belong to the others; or the memory does not suffice.
    /// </exception>
    public static EncoderSession Open(IBackend backend, string folder, EncoderSessionOptions? options = null)
    {
        options ??= new();
        var trained = options.Trained;
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

            var learning = trained is null ? EncoderLearning.Nothing : EncoderLearning.Head;
            var stored = EncoderWeights.StoredBytes(backend, config, folder, learning);
            adapter = trained is null ? null : PeftFolder.Load(backend, LoraSite.Of(config), trained);
            var plan = EncoderPassPlan.Largest(
                RowsOfPasses, rows => PlanOf(backend, config, adapter, stored, rows), options.Available(backend));
            weights = EncoderWeights.Load(backend, config, folder, learning);
            if (trained is not null)
            {
                weights.LoadHead(trained);
            }

            return new(
                folder, options, new EncoderClassifier(backend, weights, MaxTokens, adapter), tokenizer, plan);
        }
        catch
        {
            adapter?.Dispose();
            weights?.Dispose();
            if (options.OwnsBackend)
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

    /// <summary>
    /// The logits of inputs, computed in batches of similar length and returned in the caller's order.
    /// </summary>
    /// <param name="inputs">Token ids of each, [CLS] first.</param>
    /// <returns>For each input its labels' logits.</returns>
    public double[][] Logits(IReadOnlyList<int[]> inputs, CancellationToken cancellation = default)
    {
        var logits = new double[inputs.Count][];
        var labels = Model.Config.Labels;
        foreach (var batch in Batches(inputs, _rowsPerPass))
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

    /// <summary>What passes of so many tokens hold beside the weights, by the code that allocates it.</summary>
    private static MemoryPlan PlanOf(
        IBackend backend, EncoderConfig config, LoraAdapter? adapter, long stored, int rows)
    {
        using var weights = EncoderWeights.Plan(backend, config);
        using var model = new EncoderClassifier(backend, weights, MaxTokens, adapter);
        string[] smaller = ["use a smaller judge"], cpu = backend.MemoryBytes is null ? [] : ["use `Device` cpu"];
        return new(
        [
            new("weights", stored, [.. smaller, .. cpu]),
            new("adapter", adapter?.Parameters.Sum(p => p.Value.ByteCount + p.Gradient.ByteCount) ?? 0, smaller),
            new("activations", EncoderWorkspace.BytesFor(model, rows, MostTexts + 1, forBackward: false),
                [.. smaller, .. cpu]),
            new("scratch", EncoderWorkspace.ScratchFor(model, rows), [.. smaller, .. cpu]),
            new("program", MemoryPlan.ProgramBytes, "free memory, or give the program more"),
        ]);
    }

    /// <summary>The longest first, so that the first pass needs the most memory; equals in their order.</summary>
    private static IEnumerable<List<int>> Batches(IReadOnlyList<int[]> inputs, int rowsPerPass)
    {
        var batch = new List<int>();
        var rows = 0;
        foreach (var i in Enumerable.Range(0, inputs.Count).OrderByDescending(i => inputs[i].Length))
        {
            if (batch.Count > 0 && (batch.Count == MostTexts || rows + inputs[i].Length > rowsPerPass))
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
