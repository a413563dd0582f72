using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>PiSSA: A and B begin as the r largest singular vectors of W, and what is left of W is frozen.</summary>
/// <remarks>
/// <code>
/// W ≈ U S Vᵀ        A₀ = √(S / s) Vᵀ       B₀ = U √(S / s)       residual = W − s · B₀ A₀
/// y = x residualᵀ + s · (x Aᵀ) Bᵀ  =  x Wᵀ + s · (x [A; A₀]ᵀ) [B, −B₀]ᵀ
/// </code>
/// The second form is computed: W stays as it is stored, so that a base in bf16 or in blocks is not rounded once more,
/// and the model is unchanged at the start. [A; A₀] and [B, −B₀] are a plain LoRA of rank 2r, which is what PEFT's
/// conversion to the original base makes too, and what is saved. Meng et al. 2024, arXiv:2404.02948. Without dropout,
/// as there: it would fall on a part of the base.
/// </remarks>
public sealed class PissaLora : LoraFactors
{
    private readonly Tensor _gradientA;
    private readonly Tensor _gradientB;
    private readonly int _trained;

    internal PissaLora(LoraSlot slot)
        : base(slot)
    {
        _trained = slot.Rank;
        var (a, b) = (PeftFolder.Key(Module, "lora_A.weight"), PeftFolder.Key(Module, "lora_B.weight"));
        Shape shapeA = new(2 * _trained, slot.Weight[1]), shapeB = new(slot.Weight[0], 2 * _trained);
        (StoredA, StoredB) = (slot.Value(a, shapeA), slot.Value(b, shapeB));
        (_gradientA, _gradientB) = (slot.Gradient(a, shapeA), slot.Gradient(b, shapeB));
        A = new(a, StoredA.Slice(0, _trained), _gradientA.Slice(0, _trained), Decays: true);
        B = new(b, StoredB.FirstColumns(_trained), _gradientB.FirstColumns(_trained), Decays: true)
        {
            IsFastUnderLoraPlus = true,
        };
    }

    public override Parameter A { get; }

    public override Parameter B { get; }

    public override Tensor StoredA { get; }

    public override Tensor StoredB { get; }

    /// <summary>Whether A and B are still what was taken from W.</summary>
    public override bool ChangesNothing
    {
        get
        {
            var (a, b) = (StoredA.ReadDoubles(), StoredB.ReadDoubles());
            return a.AsSpan(0, a.Length / 2).SequenceEqual(a.AsSpan(a.Length / 2))
                && Enumerable.Range(0, b.Length).All(i => b[i] == -b[i < b.Length - _trained
                    && i % Rank < _trained ? i + _trained : i - _trained]);
        }
    }

    public override Action<int, double[]> Merger() => Adder();

    internal override void Initialize(IBackend ops, Philox stream, Tensor? weight)
    {
        var w = weight ?? throw new ArgumentNullException(nameof(weight), "PiSSA begins at the singular vectors of W.");
        var (u, s, v) = PrincipalVectors.Of(w.ReadFloats(), w.Rows, w.Columns, _trained, stream);
        var (a, b) = (new double[StoredA.Shape.Count], new double[StoredB.Shape.Count]);
        for (var k = 0; k < _trained; k++)
        {
            var root = Math.Sqrt(s[k] / Scale);
            for (var i = 0; i < w.Columns; i++)
            {
                a[(k * w.Columns) + i] = a[((k + _trained) * w.Columns) + i] = root * v[k][i];
            }

            for (var o = 0; o < w.Rows; o++)
            {
                b[(o * Rank) + k] = root * u[k][o];
                b[(o * Rank) + k + _trained] = -root * u[k][o];
            }
        }

        StoredA.Write(a);
        StoredB.Write(b);
    }

    /// <summary>Twice the rank at the same scale.</summary>
    internal override LoraConfig SavedAs(LoraConfig config)
    {
        var factor = config.RankStabilized ? Math.Sqrt(2) : 2;
        return config with
        {
            Variant = LoraVariant.Lora,
            Rank = 2 * config.Rank,
            Alpha = factor * config.Alpha,
            RankPattern = config.RankPattern.ToDictionary(p => p.Key, p => 2 * p.Value),
            AlphaPattern = config.AlphaPattern.ToDictionary(p => p.Key, p => factor * p.Value),
        };
    }

    internal override void Forward(
        in AdaptedLinear linear, Tensor x, LoraActivations kept, in Epilogue end, Tensor y) =>
        linear.Ops.Linear.Forward(x, linear.Weight, Term(linear.Batch, kept.U), end, y);

    /// <summary>A₀ and B₀ get gradients too, which nothing reads: apart they would cost a pass more.</summary>
    internal override void Backward(
        in AdaptedLinear linear, Tensor dy, Tensor x, LoraActivations kept, LoraScratch s, Tensor? dx,
        in InputGradient end) =>
        linear.Ops.Linear.BackwardLora(
            dy, x, linear.Weight, Term(linear.Batch, kept.U), new(s.U(Rank), _gradientA, _gradientB), dx,
            end.Accumulate, end.Gated);
}
