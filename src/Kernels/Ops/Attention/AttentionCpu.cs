namespace SafeLlama.Kernels;

/// <summary>
/// Forward in tiles of a block of queries and a head; backward in tiles of a packed example (a long one in parts) and a
/// key-value head.
/// </summary>
/// <remarks>
/// Blocks compute 32 queries against all keys that any of them sees. Where that is mostly waste (decoding, where rows
/// are few and look into caches of their own), and where the head size fills no vectors, queries go one by one.
/// </remarks>
internal sealed class AttentionCpu<TLanes> : Attention
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>A block must use this share of what it computes; one by one costs about as many times more.</summary>
    private const double LeastUse = 0.2;

    private const int Queries = QueryBlock<Lanes128>.Queries;

    private readonly KeyGroups _groups = new();
    private readonly AttentionParts _parts = new();
    private readonly GrowingScratch _sums = new("gradients of keys and values");
    private readonly TilePool _pool;
    private readonly WidenedRows _q;
    private readonly WidenedRows _k;
    private readonly WidenedRows _v;
    private readonly WidenedRows _y;
    private readonly Bf16Attention<TLanes, InstructionProducts>? _byInstruction;
    private readonly Bf16Attention<TLanes, EmulatedProducts<TLanes>> _emulated;

    /// <param name="pool">The threads.</param>
    /// <param name="tiles">The bf16 tiles of this machine; null to emulate them.</param>
    public AttentionCpu(TilePool pool, Bf16Tiles? tiles)
    {
        _pool = pool;
        (_q, _k, _v, _y) = (new(pool), new(pool), new(pool), new(pool));
        _byInstruction = tiles is null ? null : new(pool, new InstructionProducts(tiles));
        _emulated = new(pool, default);
    }

    protected override void ForwardCore(in AttentionInput input, Tensor y, Tensor logSum)
    {
        if (IsBFloat16(input, y))
        {
            var kept = KeptOperands(input, y, logSum);
            var (first, last) = (kept.Rest.FirstKey, kept.Rest.LastKey);
            var all = _groups.SplitIntoBlocks(first, last, input.K.Rows, Queries);
            if (_byInstruction is not null)
            {
                _byInstruction.Forward(kept, input.K.Rows, all);
            }
            else
            {
                _emulated.Forward(kept, input.K.Rows, all);
            }

            return;
        }

        var t = Operands(input, _y.Place(y), logSum);
        var blocks = _groups.SplitIntoBlocks(t.FirstKey, t.LastKey, input.K.Rows, Queries);
        _pool.For(blocks.Count * t.Heads, (t, blocks), static (in op, tile) =>
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
        _y.Commit(y);
    }

    protected override void BackwardCore(
        Tensor dy, in AttentionInput input, Tensor y, Tensor logSum, Tensor delta, in AttentionGradients into)
    {
        var headDim = input.HeadDim;
        if (IsBFloat16(input, y))
        {
            BackwardKept(dy, KeptOperands(input, y, logSum), delta, into);
            return;
        }

        var t = Operands(input, _y.Read(y), logSum) with
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
            _pool.For(groups.Count * t.KeyHeads, (t, groups), static (in op, tile) =>
                AttentionRows<TLanes>.Backward(op.t, op.groups[tile / op.t.KeyHeads], tile % op.t.KeyHeads));
        }
    }

    private unsafe void BackwardKept(
        Tensor dy, in Bf16AttentionOperands kept, Tensor delta, in AttentionGradients into)
    {
        var t = kept with
        {
            Rest = kept.Rest with
            {
                Dy = dy.AsRows<float>(),
                Delta = delta.AsRows<float>(),
                Dq = into.Q.AsRows<float>(),
                Dk = into.K.AsRows<float>(),
                Dv = into.V.AsRows<float>(),
            },
        };
        var groups = _groups.Split(t.Rest.FirstKey, t.Rest.LastKey, into.K.Rows);
        _parts.Cut(groups, t.Rest);
        var sums = _sums.Floats(_parts.SumCount);
        if (_byInstruction is not null)
        {
            _byInstruction.Backward(t, _parts.Parts, sums);
        }
        else
        {
            _emulated.Backward(t, _parts.Parts, sums);
        }

        AddUp<TLanes>(t.Rest, groups, sums);
    }

    private unsafe void BackwardInBlocks<T>(AttentionOperands t, List<KeyGroup> groups)
        where T : struct, ILanes<T>
    {
        _parts.Cut(groups, t);
        var op = (t, _parts.Parts, Sums: (nint)_sums.Floats(_parts.SumCount));
        _pool.For(op.Parts.Count * t.KeyHeads, op, static (in op, tile) =>
        {
            var (part, keyHead) = (op.Parts[tile / op.t.KeyHeads], tile % op.t.KeyHeads);
            AttentionBackwardBlocks<T>.Run(op.t, part, keyHead, (float*)op.Sums);
        });
        AddUp<T>(t, groups, (float*)op.Sums);
    }

    /// <summary>dk and dv of groups that were cut.</summary>
    private unsafe void AddUp<T>(in AttentionOperands t, List<KeyGroup> groups, float* sums)
        where T : struct, ILanes<T>
    {
        if (_parts.SumCount > 0)
        {
            var op = (t, groups, _parts.Parts, Sums: (nint)sums);
            _pool.For(groups.Count * t.KeyHeads, op, static (in op, tile) =>
            {
                var (group, keyHead) = (tile / op.t.KeyHeads, tile % op.t.KeyHeads);
                AttentionBackwardBlocks<T>.AddUp(
                    op.t, op.groups[group], group, keyHead, op.Parts, (float*)op.Sums);
            });
        }
    }

    /// <summary>Whether all that forward keeps is bf16, and heads fill vectors of any width.</summary>
    private static bool IsBFloat16(in AttentionInput input, Tensor y) =>
        input.HeadDim % Lanes512.Count == 0 && input.Q.Type == DType.BFloat16 && input.K.Type == DType.BFloat16
        && input.V.Type == DType.BFloat16 && y.Type == DType.BFloat16;

    private static unsafe Bf16AttentionOperands KeptOperands(in AttentionInput input, Tensor y, Tensor logSum)
    {
        var (q, k, v, firstKey, lastKey, headDim, scale) = input;
        firstKey.RequireIndices(0, k.Rows, "it names a row of k");
        lastKey.RequireIndices(0, k.Rows, "it names a row of k");
        return new Bf16AttentionOperands
        {
            Q = q.AsRows<ushort>(),
            K = k.AsRows<ushort>(),
            V = v.AsRows<ushort>(),
            Y = y.AsRows<ushort>(),
            Rest = new AttentionOperands
            {
                Q = new(null, 0, q.Columns),
                K = new(null, 0, k.Columns),
                V = new(null, 0, v.Columns),
                Y = new(null, 0, y.Columns),
                LogSum = logSum.AsRows<float>(),
                FirstKey = firstKey.AsElements<int>(),
                LastKey = lastKey.AsElements<int>(),
                HeadDim = headDim,
                Scale = (float)scale,
            },
        };
    }

    private AttentionOperands Operands(in AttentionInput input, Rows<float> y, Tensor logSum)
    {
        var (q, k, v, firstKey, lastKey, headDim, scale) = input;
        firstKey.RequireIndices(0, k.Rows, "it names a row of k");
        lastKey.RequireIndices(0, k.Rows, "it names a row of k");
        return new AttentionOperands
        {
            Q = _q.Read(q),
            K = _k.Read(k),
            V = _v.Read(v),
            Y = y,
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
