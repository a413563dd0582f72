namespace SafeLlama.Kernels;

/// <summary>The parts of a LoRA term that are r wide, by vectors that suit the rank.</summary>
/// <remarks>
/// Under dropout du A is dropped as x was, so it cannot be part of a product's sums; it is added here, where the
/// dropped elements are known anyway. In bf16 arithmetic, the products with long rows go the way of
/// <see cref="LoraSplit{TLanes}"/>.
/// </remarks>
/// <param name="split">Where arithmetic is bf16; else null.</param>
internal sealed class LoraCpu<TLanes>(TilePool pool, GemmDispatch<TLanes> gemm, LoraSplit<TLanes>? split)
    where TLanes : struct, ILanes<TLanes>
{
    private readonly LoraForwardCpu<TLanes, TLanes> _forward = new(pool);
    private readonly LoraForwardCpu<TLanes, Lanes256> _forwardOfEight = new(pool);
    private readonly LoraBackwardCpu<TLanes, TLanes> _backward = new(pool);
    private readonly LoraBackwardCpu<TLanes, Lanes256> _backwardOfEight = new(pool);

    /// <summary>u = drop(x) Aᵀ.</summary>
    public void DownProject(Tensor x, in LoraTerm lora)
    {
        // Few rows are not worth packing A for.
        if (x.Rows < LoraChunk<TLanes, TLanes>.TallestTile && !lora.Dropout.IsActive)
        {
            gemm.Run(MatrixProduct.NT(x, lora.A, lora.U));
        }
        else if (split is not null && x.Type == DType.BFloat16 && LoraSplit<TLanes>.Suits(x, lora))
        {
            split.DownProject(x, lora);
        }
        else if (FillsEight(lora.A.Rows))
        {
            _forwardOfEight.Run(x, lora);
        }
        else
        {
            _forward.Run(x, lora);
        }
    }

    /// <summary>du, dA and dB.</summary>
    /// <param name="dx">Under dropout drop′(du A) is added to it; else null.</param>
    public void Backward(Tensor dy, Tensor x, in LoraTerm lora, in LoraGradients into, Tensor? dx)
    {
        split?.Forget();
        var isSplit = split is not null && LoraSplit<TLanes>.Suits(dy, lora);
        if (isSplit)
        {
            split!.DownProject(dy, lora, into.U);
        }

        if (FillsEight(lora.A.Rows))
        {
            _backwardOfEight.Run(dy, x, lora, into, (dx, isSplit));
        }
        else
        {
            _backward.Run(dy, x, lora, into, (dx, isSplit));
        }
    }

    /// <summary>Whether vectors of sixteen would be half empty.</summary>
    private static bool FillsEight(int rank) => TLanes.Count > Lanes256.Count && rank <= Lanes256.Count;
}
