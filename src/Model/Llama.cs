using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>A LLaMA: an embedding, the blocks, and a head that predicts the next token.</summary>
/// <remarks>
/// Backward is forward, read from the bottom. It stops at the lowest block with trained parameters; blocks below need
/// no gradient. Touvron et al. 2023, arXiv:2302.13971.
/// </remarks>
public sealed class Llama : IDisposable
{
    private readonly IBackend _ops;
    private readonly LlamaWeights _weights;
    private readonly Arena _tables;
    private readonly Weight _embedding;
    private readonly LossHead _head;
    private readonly int _lowestTrainable;

    /// <param name="weights">Frozen or learning; they outlive the model.</param>
    /// <param name="adapter">Low-rank pairs beside the linears, or null; it outlives the model.</param>
    /// <param name="maxLength">The longest sequence, in tokens; rotary tables have so many positions.</param>
    /// <param name="choices">
    /// Adapters of which each row of a pass may choose one (<see cref="Pass.Choose"/>); they outlive the model. They
    /// exclude <paramref name="adapter"/>.
    /// </param>
    public Llama(
        IBackend ops, LlamaWeights weights, LoraAdapter? adapter, int maxLength,
        IReadOnlyList<LoraAdapter>? choices = null)
    {
        (_ops, _weights, Config, Adapter, MaxLength) = (ops, weights, weights.Config, adapter, maxLength);
        Choices = choices ?? [];
        _tables = new Arena(ops, "rotary tables");
        var rope = new RopeTable(_tables, Config, maxLength);
        _tables.Commit();
        rope.Fill();
        _embedding = weights[LlamaShapes.EmbeddingName];
        HasJointRows = weights.QuantizesActivations;
        Blocks = [.. Enumerable.Range(0, Config.Layers)
            .Select(layer => new TransformerBlock(ops, weights, adapter, Choices, rope, layer))];
        _head = new LossHead(ops, Config, weights);
        _lowestTrainable = _embedding.Gradient is not null ? -1
            : Enumerable.Range(0, Config.Layers).FirstOrDefault(layer => Blocks[layer].IsTrainable, Config.Layers);
    }

    public LlamaConfig Config { get; }

    public LoraAdapter? Adapter { get; }

    /// <summary>The adapters of which each row may choose one.</summary>
    public IReadOnlyList<LoraAdapter> Choices { get; }

    public IReadOnlyList<TransformerBlock> Blocks { get; }

    public IBackend Backend => _ops;

    /// <summary>[V, D] E: the rows that tokens become.</summary>
    public Tensor EmbeddingTable => _embedding.Value;

    /// <summary>The longest sequence, in tokens.</summary>
    public int MaxLength { get; }

    /// <summary>Whether what a row becomes depends on the other rows of its pass.</summary>
    public bool HasJointRows { get; }

    /// <summary>Reads or changes the residual stream of every forward pass; null, as usual, for nothing.</summary>
    public IStreamHook? Hook { get; set; }

    /// <summary>The trained parameters: the adapter's pairs, all weights, or none.</summary>
    public IReadOnlyList<Parameter> Parameters => [.. _weights.Parameters, .. Adapter?.Parameters ?? []];

    /// <summary>Computes the residual stream after the last block, pass.Activations.Output, from tokens.</summary>
    /// <param name="cache">One for each layer while generating; null in training and scoring.</param>
    public void Forward(Pass pass, IReadOnlyList<LayerCache>? cache = null)
    {
        var (batch, a) = (pass.Batch, pass.Activations);
        _ops.Embedding.Forward(batch.Tokens, _embedding.Value, a.Hidden(0));
        if (batch.NoiseStream is { } noise)
        {
            _ops.Elementwise.AddNoise(noise, batch.NoiseScale, a.Hidden(0));
        }

        for (var layer = 0; layer < Blocks.Count; layer++)
        {
            Hook?.BeforeBlock(layer, a.Hidden(layer));
            Blocks[layer].Forward(
                a.Hidden(layer), batch, a.Block(layer), cache?[layer], a.Hidden(layer + 1), Hook);
        }

        Hook?.BeforeBlock(Blocks.Count, a.Output);
    }

    /// <summary>
    /// Adds the loss of every target to <paramref name="total"/>; for training also ∂loss/∂output into the scratch.
    /// </summary>
    /// <param name="scale">One over the number of targets the loss is a mean of.</param>
    /// <param name="total">[1] Float64: Σ of negative log-likelihoods, in nats.</param>
    public void Loss(Pass pass, double scale, Tensor total)
    {
        RequireTokenHead();
        _head.Loss(pass.Activations.Output, pass.Batch, pass.Head, scale, pass.Scratch?.Stream, total);
    }

    /// <summary>
    /// Writes the loss of each target, in nats, to the head's <see cref="HeadActivations.Nll"/>: the first half of a
    /// loss that is a function of sums over targets.
    /// </summary>
    public void TargetLosses(Pass pass)
    {
        RequireTokenHead();
        _head.TargetLosses(pass.Activations.Output, pass.Batch, pass.Head);
    }

    /// <summary>The second half, just after <see cref="TargetLosses"/>: ∂loss/∂output into the scratch.</summary>
    /// <param name="weights">[targets] ∂loss/∂nll of each.</param>
    public void BackwardTargets(Pass pass, ReadOnlySpan<double> weights) => _head.BackwardTargets(
        pass.Activations.Output, pass.Batch, pass.Head, weights, RoomForGradients(pass).Stream);

    /// <summary>Adds to the gradient of everything that learns, after <see cref="Loss"/>.</summary>
    public void Backward(Pass pass)
    {
        RequireNoHook();
        var (batch, a) = (pass.Batch, pass.Activations);
        var s = RoomForGradients(pass);
        for (var layer = Blocks.Count - 1; layer >= Math.Max(0, _lowestTrainable); layer--)
        {
            // The last block's activations still exist, since forward ended with that block.
            if (a.Recompute == Recompute.Block && layer < Blocks.Count - 1)
            {
                Blocks[layer].Recompute(a.Hidden(layer), batch, a.Block(layer), a.Hidden(layer + 1));
            }

            Blocks[layer].Backward(a.Hidden(layer), batch, a.Block(layer), s, continues: layer > _lowestTrainable);
        }

        if (_embedding.Gradient is { } gradient)
        {
            _ops.Embedding.Backward(s.Stream, batch.Tokens, gradient);
        }
    }

    /// <summary>
    /// ∂loss/∂ the embedded tokens, after <see cref="Loss"/>: backward through every block, whether it learns or not.
    /// </summary>
    /// <returns>[N, D], valid until the pass is used again.</returns>
    public Tensor BackwardToInput(Pass pass)
    {
        RequireNoHook();
        var (batch, a, s) = (pass.Batch, pass.Activations, RoomForGradients(pass));
        for (var layer = Blocks.Count - 1; layer >= 0; layer--)
        {
            Blocks[layer].Backward(a.Hidden(layer), batch, a.Block(layer), s, continues: true);
        }

        return s.Stream;
    }

    /// <summary>The logits of the next token for chosen rows.</summary>
    /// <param name="rows">[R] Int32 rows of the pass, at most <see cref="HeadActivations.ChunkRows"/>.</param>
    /// <returns>[R, V] logits, valid until the head is used again.</returns>
    public Tensor Logits(Pass pass, Tensor rows)
    {
        RequireTokenHead();
        return _head.Logits(pass.Activations.Output, rows, pass.Head);
    }

    /// <summary>The logits that the head gives for rows of a stream before the last block: a logit lens.</summary>
    /// <param name="stream">[N, D].</param>
    /// <param name="rows">As in <see cref="Logits(Pass, Tensor)"/>.</param>
    public Tensor Logits(Pass pass, Tensor stream, Tensor rows)
    {
        RequireTokenHead();
        return _head.Logits(stream, rows, pass.Head);
    }

    /// <summary>Refuses tokens outside the embedding table before a kernel reads past its end.</summary>
    /// <exception cref="SafeLlamaException">A token is out of range.</exception>
    public void CheckTokens(ReadOnlySpan<int> tokens, string what)
    {
        foreach (var token in tokens)
        {
            if ((uint)token >= (uint)Config.VocabularySize)
            {
                throw SafeLlamaException.InvalidData(
                    $"{what}: token id {token} is outside the model's vocabulary of {Config.VocabularySize}. Does the "
                    + "tokenizer belong to this model?");
            }
        }
    }

    public void Dispose() => _tables.Dispose();

    private void RequireNoHook()
    {
        if (Hook is not null)
        {
            throw new InvalidOperationException("A model with a hook in its stream has no gradients.");
        }
    }

    private static Scratch RoomForGradients(Pass pass) => pass.Scratch
        ?? throw new InvalidOperationException("This pass was made without room for gradients.");

    /// <summary>A reward model has no head for tokens: its logits would be noise.</summary>
    private void RequireTokenHead()
    {
        if (Config.ScoresSequences)
        {
            throw SafeLlamaException.InvalidData(
                "This model is a LlamaForSequenceClassification: it rates texts and cannot continue them. It can "
                + "judge: as a reward model.");
        }
    }
}
