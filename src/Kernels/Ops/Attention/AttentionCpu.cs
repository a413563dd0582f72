namespace SafeLlama.Kernels;

/// <summary>
/// Forward in tiles of a block of queries and a head; backward in tiles of a packed example (a long one in parts) and a
/// key-value head.
/// </summary>
/// <remarks>
/// Blocks compute 32 queries against all keys that any of them sees. Where that is mostly waste (decoding, where rows
/// are few and look into caches of their own), and where the head size fills no vectors, queries go one by one.
/// </remarks>
internal sealed class AttentionCpu<TLanes>(TilePool pool) : Attention
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>A block must use this share of what it computes; one by one costs about as many times more.</summary>
    private const double LeastUse = 0.2;

    private const int Queries = QueryBlock<Lanes128>.Queries;

    private readonly KeyGroups _groups = new();
    private readonly AttentionParts _parts = new();
    private readonly GrowingScratch _sums = new("gradients of keys and values");

    protected override void ForwardCore(in AttentionInput input, Tensor y, Tensor logSum)
    {
        var t = Operands(input, y, logSum);
        var blocks = _groups.SplitIntoBlocks(t.FirstKey, t.LastKey, input.K.Rows, Queries);
        pool.For(blocks.Count * t.Heads, (t, blocks), static (in op, tile) =>
        {
            ref readonly var t = ref op.t;
            var headDim = t.HeadDim;
            var (block, head) = (op.blocks[tile / t.Heads], tile % t.Heads);
            if (Use(t, block) < LeastUse || headDim % 4 != 0)
            {
                for (var n = block.First; n < block.End; n++)
                {
                    AttentionRows<TLanes>.Forward(t, n, head);
                }
            }
            else if (headDim % TLanes.Count == 0)
            {
                AttentionForwardBlocks<TLanes>.Run(t, block, head);
            }
            else if (TLanes.Count > 8 && headDim % 8 == 0)
            {
                AttentionForwardBlocks<Lanes256>.Run(t, block, head);
            }
            else
            {
                AttentionForwardBlocks<Lanes128>.Run(t, block, head);
            }
        });
    }

    protected override void BackwardCore(
        Tensor dy, in AttentionInput input, Tensor y, Tensor logSum, Tensor delta, in AttentionGradients into)
    {
        var headDim = input.HeadDim;
        var t = Operands(input, y, logSum) with
        {
            Dy = dy.AsRows<float>(),
            Delta = delta.AsRows<float>(),
            Dq = into.Q.AsRows<float>(),
            Dk = into.K.AsRows<float>(),
            Dv = into.V.AsRows<float>(),
        };
        var groups = _groups.Split(t.FirstKey, t.LastKey, input.K.Rows);
        if (headDim % TLanes.Count == 0)
        {
            BackwardInBlocks<TLanes>(t, groups);
        }
        else if (TLanes.Count > 8 && headDim % 8 == 0)
        {
            BackwardInBlocks<Lanes256>(t, groups);
        }
        else if (headDim % 4 == 0)
        {
            BackwardInBlocks<Lanes128>(t, groups);
        }
        else
        {
            pool.For(groups.Count * t.KeyHeads, (t, groups), static (in op, tile) =>
                AttentionRows<TLanes>.Backward(op.t, op.groups[tile / op.t.KeyHeads], tile % op.t.KeyHeads));
        }
    }

    private unsafe void BackwardInBlocks<T>(AttentionOperands t, List<KeyGroup> groups)
        where T : struct, ILanes<T>
    {
        _parts.Cut(groups, t);
        var op = (t, groups, _parts.Parts, Sums: (nint)_sums.Floats(_parts.SumCount));
        pool.For(op.Parts.Count * t.KeyHeads, op, static (in op, tile) =>
        {
            var (part, keyHead) = (op.Parts[tile / op.t.KeyHeads], tile % op.t.KeyHeads);
            AttentionBackwardBlocks<T>.Run(op.t, part, keyHead, (float*)op.Sums);
        });
        if (_parts.SumCount > 0)
        {
            pool.For(groups.Count * t.KeyHeads, op, static (in op, tile) =>
            {
                var (group, keyHead) = (tile / op.t.KeyHeads, tile % op.t.KeyHeads);
                AttentionBackwardBlocks<T>.AddUp(
                    op.t, op.groups[group], group, keyHead, op.Parts, (float*)op.Sums);
            });
        }
    }

    private static AttentionOperands Operands(in AttentionInput input, Tensor y, Tensor logSum)
    {
        var (q, k, v, firstKey, lastKey, headDim, scale) = input;
        firstKey.RequireIndices(0, k.Rows, "it names a row of k");
        lastKey.RequireIndices(0, k.Rows, "it names a row of k");
        return new AttentionOperands
        {
            Q = q.AsRows<float>(),
            K = k.AsRows<float>(),
            V = v.AsRows<float>(),
            Y = y.AsRows<float>(),
            LogSum = logSum.AsRows<float>(),
            FirstKey = firstKey.AsElements<int>(),
            LastKey = lastKey.AsElements<int>(),
            HeadDim = headDim,
            Scale = (float)scale,
        };
    }

    /// <summary>The share of a block's scores that are not masked or empty.</summary>
    private static unsafe double Use(in AttentionOperands t, KeyGroup block)
    {
        var seen = 0L;
        for (var n = block.First; n < block.End; n++)
        {
            seen += t.LastKey.Pointer[n] - t.FirstKey.Pointer[n] + 1;
        }

        return seen / ((double)Queries * (block.EndKey - block.FirstKey));
    }
}
