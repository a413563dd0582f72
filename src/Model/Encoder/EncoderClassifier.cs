using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>A DeBERTa-v2/v3 classifier, which gives each sequence a row of logits.</summary>
/// <remarks>
/// <code>
/// h⁰     = LN(words[token])           rel = LN(distances)             no positions are added
/// hⁱ⁺¹   = layer(hⁱ, rel)
/// logits = gelu(h[CLS] Wpᵀ + bp) Wcᵀ + bc
/// </code>
/// He et al. 2020, arXiv:2006.03654; He, Gao and Chen 2021, arXiv:2111.09543. The names and the order of operations are
/// those of transformers' <c>DebertaV2ForSequenceClassification</c>.
/// </remarks>
public sealed class EncoderClassifier : IDisposable
{
    private readonly IBackend _ops;
    private readonly Arena _tables;
    private readonly Tensor _bucket, _distanceRows;
    private readonly Weight _words, _distances;
    private readonly LayerNormWeights _wordsNorm, _distancesNorm;
    private readonly LoraLinear _pooler, _classifier;
    private readonly int _lowestTrainable;

    /// <param name="weights">Frozen or learning; they outlive the model.</param>
    /// <param name="maxLength">R: the longest sequence, in tokens.</param>
    /// <param name="adapter">Low-rank pairs beside the linears of layers, or null; it outlives the model.</param>
    public EncoderClassifier(IBackend ops, EncoderWeights weights, int maxLength, LoraAdapter? adapter = null)
    {
        (_ops, Weights, MaxLength, Adapter) = (ops, weights, maxLength, adapter);
        _tables = new Arena(ops, "distances");
        _bucket = _tables.Take(new((2 * maxLength) - 1), DType.Int32, "buckets");
        _distanceRows = _tables.Take(new(2 * Config.DistanceSpan), DType.Int32, "distance_rows");
        _tables.Commit();
        _bucket.Write(RelativePositions.Rows(Config, maxLength));
        _distanceRows.Write([.. Enumerable.Range(0, 2 * Config.DistanceSpan)]);
        (_words, _distances) = (weights[EncoderShapes.WordsName], weights[EncoderShapes.DistancesName]);
        _wordsNorm = new(ops, weights, EncoderShapes.WordsNorm);
        _distancesNorm = new(ops, weights, EncoderShapes.DistancesNorm);
        Blocks =
            [.. Enumerable.Range(0, Config.Layers).Select(layer => new EncoderBlock(ops, weights, adapter, layer))];
        (_pooler, _classifier) = (Linear(EncoderShapes.Pooler), Linear(EncoderShapes.Classifier));
        _lowestTrainable = _words.Gradient is not null ? -1
            : Enumerable.Range(0, Config.Layers).FirstOrDefault(layer => Blocks[layer].IsTrainable, Config.Layers);

        LoraLinear Linear(string module) =>
            new(ops, weights[module + ".weight"], weights[module + ".bias"], null);
    }

    public IBackend Backend => _ops;

    public EncoderWeights Weights { get; }

    public EncoderConfig Config => Weights.Config;

    public LoraAdapter? Adapter { get; }

    /// <summary>Everything that is trained: the head, the adapter's pairs, or all weights, or nothing.</summary>
    public IReadOnlyList<Parameter> Parameters => [.. Weights.Parameters, .. Adapter?.Parameters ?? []];

    public IReadOnlyList<EncoderBlock> Blocks { get; }

    /// <summary>R: the longest sequence, in tokens.</summary>
    public int MaxLength { get; }

    /// <summary>The logits of sequences, each of which sees itself alone.</summary>
    /// <param name="sequences">Token ids of each, none empty.</param>
    /// <param name="workspace">Where the pass is worked out.</param>
    /// <param name="dropout">Of adapters; null in evaluation.</param>
    /// <returns>[S, labels] one behind the other.</returns>
    public (double[] Logits, EncoderPass Pass) Forward(
        IReadOnlyList<int[]> sequences, EncoderWorkspace workspace, Philox? dropout = null)
    {
        Check(sequences);
        var pass = workspace.For(sequences.Sum(s => s.Length), sequences.Count);
        pass.Batch.Upload(sequences);
        pass.Batch.Tokens.DropoutStream = dropout;
        Forward(pass);
        return (pass.Activations.Logits.ReadDoubles(), pass);
    }

    /// <summary>Adds to the gradient of everything that learns, after a forward pass.</summary>
    /// <param name="dlogits">[S, labels] ∂loss/∂logits.</param>
    public void Backward(EncoderPass pass, ReadOnlySpan<double> dlogits)
    {
        var (batch, a) = (pass.Batch.Tokens, pass.Activations);
        var s = pass.Scratch ?? throw new InvalidOperationException("This pass was made without room for gradients.");
        s.Logits.Write(dlogits);
        _classifier.Backward(s.Logits, a.Activated, batch, null, s.Lora, s.Activated, accumulate: false);
        _ops.Gelu.Backward(s.Activated, a.Pooled, s.Activated);
        var goesOn = _lowestTrainable < Blocks.Count;
        _pooler.Backward(s.Activated, a.First, batch, null, s.Lora, goesOn ? s.First : null, accumulate: false);
        if (!goesOn)
        {
            return;
        }

        s.Stream.Clear();
        s.Relative.Clear();
        _ops.Elementwise.ScatterRows(s.First, pass.Batch.FirstRows, s.Stream);
        for (var layer = Blocks.Count - 1; layer >= Math.Max(0, _lowestTrainable); layer--)
        {
            Blocks[layer].Backward(
                a.Hidden(layer), a.Relative, _bucket, batch, a.Block(layer), s,
                layer > _lowestTrainable ? (s.Stream, s.Relative) : null);
        }

        if (_words.Gradient is { } words && _distances.Gradient is { } distances)
        {
            _wordsNorm.Backward(s.Stream, a.Words, a.WordsNorm, s.Sum);
            _ops.Embedding.Backward(s.Sum, batch.Tokens, words);
            _distancesNorm.Backward(s.Relative, a.Distances, a.DistancesNorm, s.Distances);
            _ops.Embedding.Backward(s.Distances, _distanceRows, distances);
            words.Slice(Config.PadTokenId, 1).Clear();
        }
    }

    public void Dispose() => _tables.Dispose();

    private void Forward(EncoderPass pass)
    {
        var (batch, a) = (pass.Batch.Tokens, pass.Activations);
        _ops.Embedding.Forward(batch.Tokens, _words.Value, a.Words);
        _wordsNorm.Forward(a.Words, a.WordsNorm, a.Hidden(0));
        _ops.Embedding.Forward(_distanceRows, _distances.Value, a.Distances);
        _distancesNorm.Forward(a.Distances, a.DistancesNorm, a.Relative);
        for (var layer = 0; layer < Blocks.Count; layer++)
        {
            Blocks[layer].Forward(
                a.Hidden(layer), a.Relative, _bucket, batch, a.Block(layer), a.Hidden(layer + 1));
        }

        _ops.Elementwise.GatherRows(a.Hidden(Blocks.Count), pass.Batch.FirstRows, a.First);
        _pooler.Forward(a.First, batch, null, a.Pooled);
        _ops.Gelu.Forward(a.Pooled, a.Activated);
        _classifier.Forward(a.Activated, batch, null, a.Logits);
    }

    /// <summary>Refuses tokens for which a kernel would read past the end of a table.</summary>
    private void Check(IReadOnlyList<int[]> sequences)
    {
        foreach (var sequence in sequences)
        {
            if (sequence.Length == 0 || sequence.Length > MaxLength)
            {
                throw SafeLlamaException.InvalidData(
                    $"A text has {sequence.Length} tokens, expected 1 to the {MaxLength} this model was opened for.");
            }

            foreach (var token in sequence)
            {
                if ((uint)token >= (uint)Config.VocabularySize)
                {
                    throw SafeLlamaException.InvalidData(
                        $"Token id {token} is outside the model's vocabulary of {Config.VocabularySize}. Does the "
                        + "tokenizer belong to this model?");
                }
            }
        }
    }
}
