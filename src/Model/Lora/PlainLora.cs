using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>LoRA, and rsLoRA by its scale: y = x Wᵀ + s · (x Aᵀ) Bᵀ + bias + residual.</summary>
/// <remarks>
/// <code>
/// A uniform within ±1/√D_in, B = 0: training begins at the base model
/// W′ = W + s · B A
/// </code>
/// Hu et al. 2021, arXiv:2106.09685. The equations of forward and backward stand at <see cref="Linear"/>.
/// </remarks>
public sealed class PlainLora : LoraFactors
{
    internal PlainLora(LoraSlot slot)
        : base(slot)
    {
        A = slot.Take("lora_A.weight", new(slot.Rank, slot.Weight[1]));
        B = slot.Take("lora_B.weight", new(slot.Weight[0], slot.Rank)) with { IsFastUnderLoraPlus = true };
    }

    public override Parameter A { get; }

    public override Parameter B { get; }

    public override Action<int, double[]> Merger() => Adder();

    public override IReadOnlyList<double[]> Truncated(IReadOnlyList<double[]> trained, int rank) =>
        rank >= Rank ? trained : [trained[0], LowRankProduct.Nearest(trained[0], trained[1], Rank, rank)];

    internal override void Initialize(IBackend ops, Philox stream, Tensor? weight) => InitializePlain(stream);

    internal override void Forward(
        in AdaptedLinear linear, Tensor x, LoraActivations kept, in Epilogue end, Tensor y) =>
        linear.Ops.Linear.Forward(x, linear.Weight, Term(linear.Batch, kept.U), end, y);

    internal override void Backward(
        in AdaptedLinear linear, Tensor dy, Tensor x, LoraActivations kept, LoraScratch s, Tensor? dx,
        in InputGradient end) =>
        linear.Ops.Linear.BackwardLora(
            dy, x, linear.Weight, Term(linear.Batch, kept.U), new(s.U(Rank), A.Gradient, B.Gradient), dx,
            end.Accumulate, end.Gated);
}
