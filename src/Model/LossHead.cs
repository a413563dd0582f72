using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>
/// Computes logits and loss from the residual stream, in chunks of rows that have a target, so that [N, V] logits never
/// exist whole.
/// </summary>
public sealed class LossHead
{
    private readonly IBackend _ops;
    private readonly double _epsilon;
    private readonly Weight _norm;
    private readonly Weight _head;

    internal LossHead(IBackend ops, LlamaConfig config, LlamaWeights weights)
    {
        (_ops, _epsilon) = (ops, config.RmsNormEpsilon);
        _norm = weights[LlamaShapes.FinalNormName];
        _head = weights.Find(LlamaShapes.HeadName) ?? weights[LlamaShapes.EmbeddingName];
    }

    /// <summary>
    /// Rows of a chunk: at most 16 M logits, but enough rows for an efficient product, which packs the whole weight for
    /// each chunk. On <c>cpu:bf16</c>, where all that a block keeps is half as long as a logit, a chunk is shorter, or
    /// logits would be most of the memory.
    /// </summary>
    public static int ChunkRows(IBackend backend, LlamaConfig config, int rows)
    {
        var most = backend.Kept == backend.Activation ? 1024 : 512;
        return Math.Min(Math.Max(rows, 1), Math.Clamp((16 << 20) / config.VocabularySize / 64 * 64, 128, most));
    }

    /// <summary>The logits of chosen rows.</summary>
    /// <param name="h">[N, D] residual stream after the last block.</param>
    /// <param name="rows">[R] Int32, at most a chunk of them.</param>
    /// <param name="a">Scratch of the head.</param>
    /// <returns>[R, V], valid until the head is used again.</returns>
    public Tensor Logits(Tensor h, Tensor rows, HeadActivations a)
    {
        var chunk = a.Chunk(rows.Columns);
        Logits(h, rows, chunk);
        return chunk.Logits;
    }

    /// <summary>
    /// Adds the loss of every target to <paramref name="total"/> and, if asked, its gradient to the stream.
    /// </summary>
    /// <param name="h">[N, D] residual stream after the last block.</param>
    /// <param name="batch">Targets and the rows they belong to.</param>
    /// <param name="a">Scratch of the head; receives the loss of each target.</param>
    /// <param name="scale">One over the number of targets the loss is a mean of.</param>
    /// <param name="dh">[N, D] ∂loss/∂h, overwritten; null where only the loss is asked for.</param>
    /// <param name="total">[1] Float64: Σ of negative log-likelihoods, added to; not scaled.</param>
    public void Loss(Tensor h, TokenBatch batch, HeadActivations a, double scale, Tensor? dh, Tensor total)
    {
        dh?.Clear();
        var size = ChunkSize(batch, a);
        for (var first = 0; first < batch.TargetCount; first += size)
        {
            var count = Math.Min(size, batch.TargetCount - first);
            var (rows, targets, chunk) = Forward(h, batch, a, first, count);
            _ops.Elementwise.Sum(a.NllAt(first, count), total);
            if (dh is not null)
            {
                var dLogits = chunk.DLogits(_ops.Kept);
                _ops.CrossEntropy.Backward(chunk.Logits, targets, chunk.LogSum, scale, dLogits);
                Backward(dLogits, chunk, rows, dh);
            }
        }
    }

    /// <summary>The loss of each target, for a loss that is a function of their sums.</summary>
    /// <param name="h">[N, D] residual stream after the last block.</param>
    /// <param name="batch">Targets and the rows they belong to.</param>
    /// <param name="a">Scratch of the head; receives the loss of each target.</param>
    public void TargetLosses(Tensor h, TokenBatch batch, HeadActivations a)
    {
        var size = ChunkSize(batch, a);
        for (var first = 0; first < batch.TargetCount; first += size)
        {
            Forward(h, batch, a, first, Math.Min(size, batch.TargetCount - first));
        }
    }

    /// <summary>The gradient to the stream of a loss whose slope in each target's loss is known by now.</summary>
    /// <remarks>
    /// <code>dlogits[n,v] = weight[n] · (softmax(logits[n])[v] − [v = target[n]])</code>
    /// Logits are computed again, since [N, V] of them were never kept; a batch of one chunk still has them. Targets
    /// of equal weight, as all of one answer, are one call of the op.
    /// </remarks>
    /// <param name="h">[N, D] as in <see cref="TargetLosses"/>, which comes just before.</param>
    /// <param name="batch">As in <see cref="TargetLosses"/>.</param>
    /// <param name="a">As <see cref="TargetLosses"/> left it.</param>
    /// <param name="weights">[targets] ∂loss/∂nll of each.</param>
    /// <param name="dh">[N, D] ∂loss/∂h, overwritten.</param>
    public void BackwardTargets(
        Tensor h, TokenBatch batch, HeadActivations a, ReadOnlySpan<double> weights, Tensor dh)
    {
        dh.Clear();
        var size = ChunkSize(batch, a);
        for (var first = 0; first < batch.TargetCount; first += size)
        {
            var count = Math.Min(size, batch.TargetCount - first);
            var part = weights.Slice(first, count);
            if (!part.ContainsAnyExcept(0.0))
            {
                continue;
            }

            var (rows, targets) = batch.TargetsAt(first, count);
            var chunk = size < batch.TargetCount ? Forward(h, batch, a, first, count).Chunk : a.Chunk(count);
            var dLogits = chunk.DLogits(_ops.Kept);
            for (int from = 0, to; from < count; from = to)
            {
                var run = part[from..].IndexOfAnyExcept(part[from]);
                to = run < 0 ? count : from + run;
                _ops.CrossEntropy.Backward(
                    chunk.Logits.Slice(from, to - from), targets.SliceVector(from, to - from),
                    chunk.LogSum.SliceVector(from, to - from), part[from], dLogits.Slice(from, to - from));
            }

            Backward(dLogits, chunk, rows, dh);
        }
    }

    /// <summary>Targets of a chunk: as many as fit, but of even size, since a small last one would pack the weight for
    /// little.</summary>
    private static int ChunkSize(TokenBatch batch, HeadActivations a)
    {
        var chunks = Math.Max(1, (batch.TargetCount + a.ChunkRows - 1) / a.ChunkRows);
        return (batch.TargetCount + chunks - 1) / chunks;
    }

    private (Tensor Rows, Tensor Targets, HeadChunk Chunk) Forward(
        Tensor h, TokenBatch batch, HeadActivations a, int first, int count)
    {
        var (rows, targets) = batch.TargetsAt(first, count);
        var chunk = a.Chunk(count);
        Logits(h, rows, chunk);
        _ops.CrossEntropy.Forward(chunk.Logits, targets, a.NllAt(first, count), chunk.LogSum);
        return (rows, targets, chunk);
    }

    private void Logits(Tensor h, Tensor rows, HeadChunk c)
    {
        _ops.Elementwise.GatherRows(h, rows, c.Hidden);
        _ops.RmsNorm.Forward(c.Hidden, _norm.Value, _epsilon, c.Normed, c.Rstd);
        _ops.Linear.Forward(c.Normed, _head.Value, c.Logits);
    }

    private void Backward(Tensor dLogits, HeadChunk c, Tensor rows, Tensor dh)
    {
        if (_head.Gradient is { } gradient)
        {
            _ops.Linear.BackwardWeight(dLogits, c.Normed, gradient, null);
        }

        _ops.Linear.BackwardInput(dLogits, _head.Value, c.DNormed, accumulate: false);
        c.DHidden.Clear();
        _ops.RmsNorm.Backward(c.DNormed, c.Hidden, _norm.Value, c.Rstd, c.DHidden, _norm.Gradient);
        _ops.Elementwise.ScatterRows(c.DHidden, rows, dh);
    }
}
