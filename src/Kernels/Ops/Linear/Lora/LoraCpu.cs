namespace SafeLlama.Kernels;

/// <summary>The parts of a LoRA term that are r wide, by vectors that suit the rank.</summary>
/// <remarks>
/// Under dropout du A is dropped as x was, so it cannot be part of a product's sums; it is added here, where the
/// dropped elements are known anyway.
/// </remarks>
internal sealed class LoraCpu<TLanes>(TilePool pool, GemmDispatch<TLanes> gemm)
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
        if (FillsEight(lora.A.Rows))
        {
            _backwardOfEight.Run(dy, x, lora, into, dx);
        }
        else
        {
            _backward.Run(dy, x, lora, into, dx);
        }
    }

    /// <summary>Whether vectors of sixteen would be half empty.</summary>
    private static bool FillsEight(int rank) => TLanes.Count > Lanes256.Count && rank <= Lanes256.Count;
}
