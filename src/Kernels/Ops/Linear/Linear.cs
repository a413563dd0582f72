namespace SafeLlama.Kernels;

/// <summary>
/// The matrix product of a layer, its weight stored [out, in] as checkpoints have it, with LoRA's low-rank update: the
/// heart of the project.
/// </summary>
/// <remarks>
/// <code>
/// forward    y   = x Wᵀ                 y[n,o]   = Σ_i x[n,i] · W[o,i]
///                + s · u Bᵀ             u        = drop(x) Aᵀ                  where a LoRA term is given
///                + bias + residual      gated    = silu(gate) · y              the epilogue, where given
/// backward   dx (+)= dy W               dx[n,i]  = Σ_o dy[n,o] · W[o,i]
///                + drop′(du A)          du       = s · dy B
///            dW  += dyᵀ x               dbias[o] += Σ_n dy[n,o]                where the weight is trained
///            dB  += s · dyᵀ u           dA       += duᵀ drop(x)                where a LoRA term is given
///            dx  → dgate, dup                                                  where x is silu(gate) · up
/// </code>
/// A frozen weight stays in the type it is stored in (bf16, fp16, fp32) and is widened as it is read. Hu et al. 2021,
/// arXiv:2106.09685: at B = 0, where training begins, y is what W alone makes of x, and dA is zero.
/// <para>A backend says what it can do in one pass over y or dx (<see cref="CanFuseLora"/>, <see cref="CanFuseGate"/>,
/// <see cref="CanFuseLoraBackward"/>, <see cref="CanFuseGateBackward"/>); what it cannot is done here, one step after
/// the other.</para>
/// </remarks>
/// <param name="swiGlu">Gates y in a pass of its own where a backend cannot fuse it.</param>
public abstract class Linear(SwiGlu swiGlu) : Op
{
    /// <summary>
    /// The most rows of a forward product in which each row's bytes are those it has alone; 1 where nothing is known.
    /// </summary>
    public virtual int IndependentRows => 1;

    /// <summary>
    /// From so many rows on, each row's bytes are the same however many there are; never where nothing is known.
    /// </summary>
    public virtual int AlikeRows => int.MaxValue;

    /// <summary>y = x Wᵀ.</summary>
    /// <param name="x">[N, D_in].</param>
    /// <param name="weight">[D_out, D_in].</param>
    /// <param name="y">[N, D_out].</param>
    public void Forward(Tensor x, Tensor weight, Tensor y) => Forward(x, weight, null, default, y);

    /// <param name="x">[N, D_in].</param>
    /// <param name="weight">[D_out, D_in].</param>
    /// <param name="lora">The low-rank update, or null.</param>
    /// <param name="end">What the sums meet before they are written.</param>
    /// <param name="y">[N, D_out].</param>
    public void Forward(Tensor x, Tensor weight, in LoraTerm? lora, in Epilogue end, Tensor y)
    {
        Check(x, weight, end, y);
        if (lora is { } term)
        {
            Check(x, y, term);
        }

        var fusesLora = lora is not null && CanFuseLora(x, weight, lora.GetValueOrDefault(), end, y);
        var fusesGate = end.Gate is not null && fusesLora == lora.HasValue && CanFuseGate(x, weight, y);
        Observer?.Started();
        ForwardCore(x, weight, fusesLora ? lora : null, fusesGate ? end : end.Ungated, y);
        if (lora is not null && !fusesLora)
        {
            AddLoraCore(x, lora.GetValueOrDefault(), y);
        }

        Observer?.Finished(new(
            lora is null ? "Linear forward" : "Linear + LoRA forward", Flops(x, weight) + Flops(x, lora),
            Bytes(x, weight, end.Residual, y, fusesGate ? end.Gate : null, fusesGate ? end.Gated : null)));
        if (end.Gate is not null && !fusesGate)
        {
            swiGlu.Forward(end.Gate, y, end.Gated!);
        }
    }

    /// <summary>y += s · u Bᵀ, and u: the term of some rows, after the product of all.</summary>
    /// <param name="x">[N, D_in].</param>
    /// <param name="lora">The term.</param>
    /// <param name="y">[N, D_out].</param>
    public void AddLora(Tensor x, in LoraTerm lora, Tensor y)
    {
        Check(x, y, lora);
        Observer?.Started();
        AddLoraCore(x, lora, y);
        Observer?.Finished(new("LoRA forward", Flops(x, lora), Bytes(x, lora.A, lora.B, y)));
    }

    /// <param name="dy">[N, D_out].</param>
    /// <param name="weight">[D_out, D_in].</param>
    /// <param name="dx">[N, D_in].</param>
    /// <param name="accumulate">Whether to add to dx, or to overwrite it where this is its first contribution.</param>
    /// <param name="gated">Where x is a gated product: what its gradient, dx, goes on to; dx itself is scratch.</param>
    public void BackwardInput(
        Tensor dy, Tensor weight, Tensor dx, bool accumulate, in GatedProduct? gated = null)
    {
        CheckInput(dy, weight, dx);
        Check(gated, dx, accumulate);
        var fuses = gated is { } into && CanFuseGateBackward(dx, into);
        Observer?.Started();
        BackwardInputCore(dy, weight, null, null, dx, new(accumulate, fuses ? gated : null));
        Observer?.Finished(new("Linear dx", Flops(dx, weight), InputBytes(dy, weight, dx, fuses ? gated : null)));
        if (!fuses)
        {
            Differentiate(dx, gated);
        }
    }

    /// <param name="dy">[N, D_out].</param>
    /// <param name="x">[N, D_in].</param>
    /// <param name="dweight">[D_out, D_in], added to.</param>
    /// <param name="dbias">[D_out], added to; null where there is none.</param>
    public void BackwardWeight(Tensor dy, Tensor x, Tensor dweight, Tensor? dbias)
    {
        dy.RequireMatrix(x.Rows, dweight.Rows, "one row per row of x, one column per row of dweight");
        dweight.RequireMatrix(dweight.Rows, x.Columns, "its columns are the columns of x");
        dbias?.RequireShape(new(dweight.Rows), "one value per row of dweight");
        Observer?.Started();
        BackwardWeightCore(dy, x, dweight, dbias);
        Observer?.Finished(new("Linear dW", Flops(x, dweight), Bytes(dy, x, dweight)));
    }

    /// <summary>
    /// The gradients of a LoRA term and, together with them because they share du and the dropped elements, that of x.
    /// </summary>
    /// <param name="dy">[N, D_out].</param>
    /// <param name="x">[N, D_in] from forward.</param>
    /// <param name="weight">[D_out, D_in].</param>
    /// <param name="lora">As in forward.</param>
    /// <param name="into">Where the gradients of A and B go.</param>
    /// <param name="dx">[N, D_in]; null where nothing below is trained.</param>
    /// <param name="accumulate">Whether to add to dx, or to overwrite it.</param>
    /// <param name="gated">As in <see cref="BackwardInput"/>.</param>
    public void BackwardLora(
        Tensor dy, Tensor x, Tensor weight, in LoraTerm lora, in LoraGradients into, Tensor? dx, bool accumulate,
        in GatedProduct? gated = null)
    {
        Check(x, dy, lora);
        Check(lora, into);
        if (dx is not null)
        {
            CheckInput(dy, weight, dx);
            Check(gated, dx, accumulate);
        }

        // Dropped elements of du A are those of x: they cannot be part of a sum whose other part is not dropped.
        var fuses = dx is not null && !lora.Dropout.IsActive && CanFuseLoraBackward(dy, weight, lora, into.U, dx);
        var fusesGate = fuses && gated is { } gradients && CanFuseGateBackward(dx!, gradients);
        Observer?.Started();
        if (dx is not null && !fuses)
        {
            BackwardInputCore(dy, weight, null, null, dx, new(accumulate));
        }

        BackwardLoraCore(dy, x, lora, into, fuses ? null : dx);
        if (fuses)
        {
            BackwardInputCore(dy, weight, lora, into.U, dx!, new(accumulate, fusesGate ? gated : null));
        }

        Observer?.Finished(new(
            "Linear + LoRA backward", (dx is null ? 0 : Flops(x, weight)) + (2 * Flops(x, lora)),
            Bytes(x) + (dx is null ? Bytes(dy) : InputBytes(dy, weight, dx, fusesGate ? gated : null))));
        if (dx is not null && !fusesGate)
        {
            Differentiate(dx, gated);
        }
    }

    /// <summary>Whether <see cref="ForwardCore"/> can add the term to the product's own sums.</summary>
    protected virtual bool CanFuseLora(Tensor x, Tensor weight, in LoraTerm lora, in Epilogue end, Tensor y) => false;

    /// <summary>Whether <see cref="ForwardCore"/> can gate y as it writes it.</summary>
    protected virtual bool CanFuseGate(Tensor x, Tensor weight, Tensor y) => false;

    /// <summary>Whether <see cref="BackwardInputCore"/> can add du A to the product's own sums.</summary>
    protected virtual bool CanFuseLoraBackward(Tensor dy, Tensor weight, in LoraTerm lora, Tensor du, Tensor dx) =>
        false;

    /// <summary>Whether <see cref="BackwardInputCore"/> can hand dx on as it makes it.</summary>
    protected virtual bool CanFuseGateBackward(Tensor dx, in GatedProduct gated) => false;

    /// <param name="lora">Null unless <see cref="CanFuseLora"/> says that it may be given; its U is written.</param>
    /// <param name="end">Without a gate unless <see cref="CanFuseGate"/> says that it may have one.</param>
    protected abstract void ForwardCore(
        Tensor x, Tensor weight, in LoraTerm? lora, in Epilogue end, Tensor y);

    /// <summary>y += s · u Bᵀ, and u.</summary>
    protected abstract void AddLoraCore(Tensor x, in LoraTerm lora, Tensor y);

    /// <param name="lora">Null unless <see cref="CanFuseLoraBackward"/> says that it may be given.</param>
    /// <param name="du">[N, r] where a term is given: dx receives dy W + du A.</param>
    /// <param name="into">Without a gate unless <see cref="CanFuseGateBackward"/> says that it may have one.</param>
    protected abstract void BackwardInputCore(
        Tensor dy, Tensor weight, in LoraTerm? lora, Tensor? du, Tensor dx, in InputGradient into);

    protected abstract void BackwardWeightCore(Tensor dy, Tensor x, Tensor dweight, Tensor? dbias);

    /// <summary>du, dA and dB; where dx is given, drop′(du A) is added to it.</summary>
    protected abstract void BackwardLoraCore(
        Tensor dy, Tensor x, in LoraTerm lora, in LoraGradients into, Tensor? dx);

    /// <summary>A pass of its own over dx, where it goes on and was not fused.</summary>
    private void Differentiate(Tensor dx, in GatedProduct? gated)
    {
        if (gated is { } into)
        {
            swiGlu.Backward(dx, into.Gate, into.Up, into.DGate, into.DUp);
        }
    }

    private static double InputBytes(Tensor dy, Tensor weight, Tensor dx, in GatedProduct? gated) => gated is { } into
        ? Bytes(dy, weight, into.Gate, into.Up, into.DGate, into.DUp) : Bytes(dy, weight, dx);

    private static double Flops(Tensor x, Tensor weight) => 2.0 * x.Rows * weight.Rows * weight.Columns;

    private static double Flops(Tensor x, in LoraTerm? lora) =>
        lora is { } term ? 2.0 * x.Rows * term.A.Rows * (term.A.Columns + term.B.Rows) : 0;

    private static void Check(Tensor x, Tensor weight, in Epilogue end, Tensor y)
    {
        var (bias, residual, gate, gated) = end;
        y.RequireMatrix(x.Rows, weight.Rows, "one row per row of x, one column per row of the weight");
        weight.RequireMatrix(weight.Rows, x.Columns, "its columns are the columns of x");
        bias?.RequireShape(new(weight.Rows), "one value per row of the weight");
        residual?.RequireMatrix(y.Rows, y.Columns, "one value per element of y");
        residual?.RequireType(y.Type, "y is the same stream, further on");
        gate?.RequireMatrix(y.Rows, y.Columns, "one gate per element of y");
        gate?.RequireType(y.Type, "gates are stored as y is");
        gated?.RequireMatrix(y.Rows, y.Columns, "one gated value per element of y");
        gated?.RequireType(y.Type, "gated values are stored as y is");
        if (gate is null != gated is null || (gate is not null && residual is not null))
        {
            throw new ArgumentException(
                "Linear: an epilogue has a gate and what is gated, or neither, and no residual beside them.");
        }
    }

    private static void Check(Tensor x, Tensor y, in LoraTerm lora)
    {
        var (a, b, u) = (lora.A, lora.B, lora.U);
        a.RequireMatrix(a.Rows, x.Columns, "its columns are the columns of x");
        b.RequireMatrix(b.Rows, a.Rows, "its columns are the rows of A, the rank");
        u.RequireMatrix(x.Rows, a.Rows, "one row per row of x, one column per rank");
        y.RequireMatrix(x.Rows, b.Rows, "one row per row of x, one column per row of B");
    }

    private static void Check(in LoraTerm lora, in LoraGradients into)
    {
        var (du, da, db) = into;
        du.RequireShape(lora.U.Shape, "one gradient per element of u");
        da.RequireShape(lora.A.Shape, "one gradient per element of A");
        db.RequireShape(lora.B.Shape, "one gradient per element of B");
    }

    private static void Check(in GatedProduct? gated, Tensor dx, bool accumulate)
    {
        if (gated is not { } into)
        {
            return;
        }

        foreach (var tensor in new[] { into.Gate, into.Up, into.DGate, into.DUp })
        {
            tensor.RequireMatrix(dx.Rows, dx.Columns, "one value per element of dx");
        }

        if (accumulate)
        {
            throw new ArgumentException("Linear: the gradient of a gated product is made at once, and not added to.");
        }
    }

    private static void CheckInput(Tensor dy, Tensor weight, Tensor dx)
    {
        dy.RequireMatrix(dx.Rows, weight.Rows, "one row per row of dx, one column per row of the weight");
        weight.RequireMatrix(weight.Rows, dx.Columns, "its columns are the columns of dx");
    }
}
