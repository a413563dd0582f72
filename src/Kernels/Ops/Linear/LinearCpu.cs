namespace SafeLlama.Kernels;

/// <summary>The CPU path: every form of the product is one <see cref="MatrixProduct"/> with its own strides.</summary>
/// <remarks>
/// A LoRA term is computed chunk by chunk where it is r wide, and as part of the frozen product where it is D wide:
/// <code>
/// y  = x Wᵀ + u (s B)ᵀ  =  [x u] [W sB]ᵀ          dx = dy W + du A  =  [dy du] [W; A]
/// </code>
/// So y and dx, whose every element a pass of its own would read and write again, cost r more steps of a sum that is in
/// registers anyway.
/// </remarks>
internal sealed unsafe class LinearCpu<TLanes> : Linear
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Columns of dbias that one tile sums: a line of every row, several times over.</summary>
    private const int BiasColumns = 256;

    private readonly TilePool _pool;
    private readonly DType _arithmetic;
    private readonly GemmDispatch<TLanes> _gemm;
    private readonly LoraCpu<TLanes> _lora;
    private readonly LoraSplit<TLanes>? _split;
    private readonly Int8Cpu<TLanes> _int8;

    /// <param name="arithmetic">
    /// Float32, or BFloat16: products with a weight then round both operands to bf16 and sum in fp32. A LoRA term's
    /// factors are not rounded to it.
    /// </param>
    /// <param name="tiles">The bf16 tiles of this machine; null to emulate them.</param>
    public LinearCpu(TilePool pool, SwiGlu swiGlu, DType arithmetic, Bf16Tiles? tiles)
        : base(swiGlu)
    {
        (_pool, _arithmetic) = (pool, arithmetic);
        _gemm = new(pool, tiles);
        _split = arithmetic == DType.BFloat16 ? new(pool, _gemm) : null;
        _lora = new(pool, _gemm, _split);
        _int8 = new(pool, _gemm, arithmetic);
    }

    /// <summary>
    /// So few rows are summed by <see cref="DotProduct{TLanes}"/>, one row as another, with the weight and with A.
    /// </summary>
    public override int IndependentRows =>
        Math.Min(GemmDispatch<TLanes>.LeastPackedRows, LoraChunk<TLanes, TLanes>.TallestTile) - 1;

    /// <summary>So many rows are packed whatever the weight's shape, and a packed product sums row by row.</summary>
    public override int AlikeRows => GemmDispatch<TLanes>.AlwaysPackedRows;

    protected override bool CanFuseLora(Tensor x, Tensor weight, in LoraTerm lora, in Epilogue end, Tensor y) =>
        end.Bias is null && weight.Format is not Int8Format { Threshold: not null }
            && GemmDispatch<TLanes>.CanAppend(MatrixProduct.NT(x, weight, y), lora.A.Rows);

    /// <summary>A y kept in bf16 is rounded from sums in cache, where the gate costs little.</summary>
    protected override bool CanFuseGate(Tensor x, Tensor weight, Tensor y) =>
        y.Type == DType.BFloat16 && weight.Format is not Int8Format { Threshold: not null };

    protected override bool CanFuseGateBackward(Tensor dx, in GatedProduct gated) =>
        gated.Gate.Type == DType.BFloat16 && gated.DGate.Type == DType.BFloat16;

    protected override bool CanFuseLoraBackward(Tensor dy, Tensor weight, in LoraTerm lora, Tensor du, Tensor dx) =>
        GemmDispatch<TLanes>.CanAppend(MatrixProduct.NN(dy, weight, dx), lora.A.Rows);

    protected override void ForwardCore(Tensor x, Tensor weight, in LoraTerm? lora, in Epilogue end, Tensor y)
    {
        if (weight.Format is Int8Format { Threshold: not null } quantized)
        {
            _int8.Forward(x, weight, quantized, end, y);
            return;
        }

        var product = Ended(MatrixProduct.NT(x, weight, y), y, end) with { Arithmetic = _arithmetic };
        if (end.Bias is not null)
        {
            product = _gemm.WithSums(product);
            FillWithBias(end.Bias, end.Residual, product);
            product = product.Added;
        }
        else if (end.Residual is not null)
        {
            product = product.AddedTo(end.Residual);
        }

        if (lora is { } term)
        {
            _lora.DownProject(x, term);
            _gemm.Run(product, MatrixProduct.NT(term.U, term.B, y) with { Scale = (float)term.Scale });
        }
        else
        {
            _gemm.Run(product);
        }
    }

    protected override void AddLoraCore(Tensor x, in LoraTerm lora, Tensor y)
    {
        _lora.DownProject(x, lora);
        var product = _gemm.WithSums(Ended(MatrixProduct.NT(lora.U, lora.B, y), y, default));
        if (product.End.IsThere)
        {
            Widen(y, product);
        }

        _gemm.Run(product.Added with { Scale = (float)lora.Scale });
    }

    protected override void BackwardInputCore(
        Tensor dy, Tensor weight, in LoraTerm? lora, Tensor? du, Tensor dx, in InputGradient into)
    {
        var product = MatrixProduct.NN(dy, weight, dx) with { Arithmetic = _arithmetic };
        product = into.Gated is { } gated ? product.EndingIn(CpuEpilogue.Of(gated))
            : into.Accumulate ? product.Added : product;
        if (lora is { } term)
        {
            // The gradients of the term were made just now, from the same dy.
            product = _split?.WithRounded(product, dy) ?? product;
            _gemm.Run(product, MatrixProduct.NN(du!, term.A, dx));
        }
        else
        {
            _gemm.Run(product);
        }
    }

    protected override void BackwardWeightCore(Tensor dy, Tensor x, Tensor dweight, Tensor? dbias)
    {
        _gemm.Run(MatrixProduct.TN(dy, x, dweight).Added with { Arithmetic = _arithmetic });
        if (dbias is not null)
        {
            AddRows(dy, dbias);
        }
    }

    protected override void BackwardLoraCore(
        Tensor dy, Tensor x, in LoraTerm lora, in LoraGradients into, Tensor? dx)
    {
        var dropped = lora.Dropout.IsActive ? dx : null;
        _lora.Backward(dy, x, lora, into, dropped);
        if (dx is not null && dropped is null)
        {
            _gemm.Run(MatrixProduct.NN(into.U, lora.A, dx).Added);
        }
    }

    /// <summary>A product whose y is kept in bf16 is summed in fp32, then rounded, and gated.</summary>
    private static MatrixProduct Ended(in MatrixProduct product, Tensor y, in Epilogue end) =>
        y.Type == DType.BFloat16 ? product.EndingIn(CpuEpilogue.Of(y, end)) : product;

    /// <summary>The sums begin as y stands.</summary>
    private void Widen(Tensor y, in MatrixProduct product)
    {
        var op = (Y: ActivationRows.Of(y), Sums: new Rows<float>(product.C, (int)product.CStride, y.Columns));
        _pool.ForRows(y.Rows, y.Columns, op, static (in t, first, end) =>
        {
            for (var n = first; n < end; n++)
            {
                t.Y.Read(n, t.Sums.At(n));
            }
        });
    }

    /// <summary>y begins as what the product is added to.</summary>
    private void FillWithBias(Tensor bias, Tensor? residual, in MatrixProduct product)
    {
        var before = residual is null ? default : residual.AsRows<float>();
        var y = new Rows<float>(product.C, (int)product.CStride, product.Columns);
        var op = (bias, HasResidual: residual is not null, Residual: before, Y: y);
        _pool.ForRows(product.Rows, product.Columns, op, static (in t, first, end) =>
        {
            var row = StoredRows.Row(t.bias, 0, ThreadScratch.Floats(t.bias.Columns));
            for (var n = first; n < end; n++)
            {
                new ReadOnlySpan<float>(row, t.Y.Columns).CopyTo(t.Y[n]);
                if (t.HasResidual)
                {
                    VectorMath.AddScaled(1, t.Residual.At(n), t.Y.At(n), t.Y.Columns);
                }
            }
        });
    }

    private void AddRows(Tensor dy, Tensor dbias)
    {
        var op = (Dy: ActivationRows.Of(dy), dy.Rows, Sums: dbias.AsElements<float>());
        _pool.For((dy.Columns + BiasColumns - 1) / BiasColumns, op, static (in t, tile) =>
        {
            var first = tile * BiasColumns;
            var count = Math.Min(BiasColumns, t.Sums.Count - first);
            var scratch = ThreadScratch.Floats(BiasColumns);
            for (var n = 0; n < t.Rows; n++)
            {
                VectorMath.AddScaled(1, t.Dy.Read(n, first, count, scratch), t.Sums.Pointer + first, count);
            }
        });
    }
}
