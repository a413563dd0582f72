using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>DoRA: LoRA turns the rows of W, and a trained magnitude says how long they are.</summary>
/// <remarks>
/// <code>
/// forward    z  = x Wᵀ + s · drop(x) Aᵀ Bᵀ          g = m / ‖W + s · B A‖, row by row
///            y  = g ⊙ z + bias + residual
/// backward   dz = g ⊙ dy                            dm += Σ_n dy ⊙ z / ‖W + s · B A‖
///            dA, dB, dx as LoRA's, from dz          the norm is a constant
/// m = ‖W‖ and B = 0: training begins at the base model
/// W′ = g ⊙ (W + s · B A)                            g = 0 where a row has no length: a row of zeros stays zero
/// </code>
/// Liu et al. 2024, arXiv:2402.09353; the norm is left out of the gradient, as in its section 4.3 and in PEFT. Dropout
/// falls on the low-rank branch alone, as in plain LoRA; PEFT lets it fall on a part of x Wᵀ too, (g − 1) ⊙ drop(x) Wᵀ,
/// which would cost a second product with W.
/// </remarks>
public sealed class DoraLora : LoraFactors
{
    /// <summary>The field of PEFT's configuration.</summary>
    public const string Flag = "use_dora";

    private readonly Tensor _norm;
    private (int A, int B) _normOf = (-1, -1);

    internal DoraLora(LoraSlot slot)
        : base(slot)
    {
        A = slot.Take("lora_A.weight", new(slot.Rank, slot.Weight[1]));
        B = slot.Take("lora_B.weight", new(slot.Weight[0], slot.Rank)) with { IsFastUnderLoraPlus = true };
        Magnitude = slot.Take("lora_magnitude_vector", new(slot.Weight[0])) with { IsFastUnderLoraPlus = true };
        _norm = slot.Value("norm", new(slot.Weight[0]));
    }

    public override Parameter A { get; }

    public override Parameter B { get; }

    /// <summary>m [D_out].</summary>
    public Parameter Magnitude { get; }

    public override bool KeepsProduct => true;

    public override IEnumerable<Parameter> Parameters => [A, B, Magnitude];

    public override IEnumerable<(string Name, Tensor Value)> Stored => Parameters.Select(p => (p.Name, p.Value));

    /// <summary>Where B A is zero, the magnitude may still differ from ‖W‖, which is not known here.</summary>
    public override bool ChangesNothing => false;

    /// <summary>W + s · B A in fp64, each row stretched to its magnitude.</summary>
    public override Action<int, double[]> Merger()
    {
        var (add, magnitude, columns) = (Adder(), Magnitude.Value.ReadDoubles(), A.Value.Columns);
        return (first, rows) =>
        {
            add(first, rows);
            for (var o = 0; o < rows.Length / columns; o++)
            {
                var row = rows.AsSpan(o * columns, columns);
                var length = Length(row);
                var gain = length == 0 ? 0 : magnitude[first + o] / length;
                foreach (ref var value in row)
                {
                    value *= gain;
                }
            }
        };
    }

    /// <summary>B and the magnitude's distance from ‖W‖ are turned alike.</summary>
    public override void SetStrength(
        IBackend ops, IReadOnlyList<double[]> trained, double strength, Tensor weight)
    {
        B.Value.Write(new double[B.Value.Shape.Count]);
        ops.Dora.Norm(weight, A.Value, B.Value, Scale, _norm);
        var length = _norm.ReadDoubles();
        Magnitude.Value.Write([.. trained[2].Zip(length, (m, w) => w + (strength * (m - w)))]);
        base.SetStrength(ops, trained, strength, weight);
        _normOf = (-1, -1);
    }

    internal override void Initialize(IBackend ops, Philox stream, Tensor? weight)
    {
        InitializePlain(stream);
        ops.Dora.Norm(
            weight ?? throw new ArgumentNullException(nameof(weight), "DoRA begins at the length of W's rows."),
            A.Value, B.Value, Scale, _norm);
        Magnitude.Value.Write(_norm.ReadDoubles());
    }

    internal override void Forward(
        in AdaptedLinear linear, Tensor x, LoraActivations kept, in Epilogue end, Tensor y)
    {
        var (ops, z) = (linear.Ops, kept.Product!);
        ops.Linear.Forward(x, linear.Weight, Term(linear.Batch, kept.U), default, z);
        ops.Dora.Forward(z, Magnitude.Value, Norm(linear), end.Bias, end.Residual, y);
        if (end.Gate is not null)
        {
            ops.SwiGlu.Forward(end.Gate, y, end.Gated!);
        }
    }

    /// <summary>Nothing is added to what W makes alone: y is computed anew.</summary>
    internal override void ForwardOver(
        in AdaptedLinear linear, Tensor x, LoraActivations kept, in Epilogue end, Tensor y) =>
        Forward(linear, x, kept, end, y);

    internal override void Backward(
        in AdaptedLinear linear, Tensor dy, Tensor x, LoraActivations kept, LoraScratch s, Tensor? dx,
        in InputGradient end)
    {
        var (ops, z, dz) = (linear.Ops, kept.Product!, s.Product(B.Value.Rows));
        ops.Dora.Backward(dy, z, Magnitude.Value, Norm(linear), dz, Magnitude.Gradient);
        ops.Linear.BackwardLora(
            dz, x, linear.Weight, Term(linear.Batch, kept.U), new(s.U(Rank), A.Gradient, B.Gradient), dx,
            end.Accumulate, end.Gated);
    }

    /// <summary>‖W + s · B A‖ by row, computed once for A and B as they are.</summary>
    private Tensor Norm(in AdaptedLinear linear)
    {
        var now = (A.Value.Version, B.Value.Version);
        if (_normOf != now)
        {
            linear.Ops.Dora.Norm(linear.Weight, A.Value, B.Value, Scale, _norm);
            _normOf = now;
        }

        return _norm;
    }

    private static double Length(ReadOnlySpan<double> row)
    {
        var sum = 0.0;
        foreach (var value in row)
        {
            sum += value * value;
        }

        return Math.Sqrt(sum);
    }
}
