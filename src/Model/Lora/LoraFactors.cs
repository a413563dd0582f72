using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>What a linear is, to the update that stands beside it.</summary>
/// <param name="Ops">Where to compute.</param>
/// <param name="Weight">[D_out, D_in].</param>
/// <param name="Batch">Names the dropout of this micro-batch.</param>
public readonly record struct AdaptedLinear(IBackend Ops, Tensor Weight, TokenBatch Batch);

/// <summary>What one linear's update keeps of its forward for its backward.</summary>
/// <param name="U">[N, r], drop(x) Aᵀ.</param>
/// <param name="Product">[N, D_out], x Wᵀ + s · u Bᵀ before anything else; null where no variant asks for it.</param>
public sealed record LoraActivations(Tensor U, Tensor? Product)
{
    /// <summary>Room for a linear with an adapter, else null.</summary>
    internal static LoraActivations? Take(Arena arena, LoraLinear linear, int rows) =>
        linear.Factors is not { } factors ? null : new(
            arena.Take(new(rows, factors.Rank), "u"),
            factors.KeepsProduct ? arena.Take(new(rows, factors.StoredB.Rows), "product before DoRA") : null);
}

/// <summary>
/// The update of one linear. A variant of LoRA is one subclass: its tensors and their names in PEFT's file, how they
/// begin, forward, backward, merge, and what <c>adapter_config.json</c> says of it.
/// </summary>
public abstract class LoraFactors
{
    private readonly LoraSlot _slot;

    private protected LoraFactors(LoraSlot slot) => _slot = slot;

    /// <summary>The update's number in its adapter; it names the dropout stream.</summary>
    public int Index => _slot.Index;

    /// <summary>The path of the linear it stands beside.</summary>
    public string Module => _slot.Module;

    /// <summary>s.</summary>
    public double Scale => _slot.Scale;

    /// <summary>The share of the branch's input that training drops.</summary>
    public double Dropout => _slot.Dropout;

    /// <summary>[r, D_in], what is trained of it.</summary>
    public abstract Parameter A { get; }

    /// <summary>[D_out, r], what is trained of it.</summary>
    public abstract Parameter B { get; }

    /// <summary>A as it stands in products and in files: more rows where part of it is frozen.</summary>
    public virtual Tensor StoredA => A.Value;

    /// <summary>B as it stands in products and in files.</summary>
    public virtual Tensor StoredB => B.Value;

    /// <summary>The rank of the products.</summary>
    public int Rank => StoredA.Rows;

    /// <summary>Whether backward needs the product that forward began with.</summary>
    public virtual bool KeepsProduct => false;

    /// <summary>Everything that is trained.</summary>
    public virtual IEnumerable<Parameter> Parameters => [A, B];

    /// <summary>Everything that a file holds, by its name there.</summary>
    public virtual IEnumerable<(string Name, Tensor Value)> Stored => [(A.Name, StoredA), (B.Name, StoredB)];

    /// <summary>Whether ΔW is zero, so far as it can be known without W.</summary>
    public virtual bool ChangesNothing =>
        Scale == 0 || B.Value.ReadDoubles().All(b => b == 0) || A.Value.ReadDoubles().All(a => a == 0);

    /// <summary>Draws the values that training begins with.</summary>
    /// <param name="stream">The random numbers of this update.</param>
    /// <param name="weight">W of the linear; null where the caller has none.</param>
    internal abstract void Initialize(IBackend ops, Philox stream, Tensor? weight);

    /// <summary>What a file says of an adapter of this variant: how to load it, not how it began.</summary>
    internal virtual LoraConfig SavedAs(LoraConfig config) => config;

    /// <param name="x">[N, D_in].</param>
    /// <param name="kept">Written, for backward.</param>
    /// <param name="end">The linear's bias, a residual that y is added to, or a gate.</param>
    /// <param name="y">[N, D_out].</param>
    internal abstract void Forward(
        in AdaptedLinear linear, Tensor x, LoraActivations kept, in Epilogue end, Tensor y);

    /// <summary>
    /// As <see cref="Forward"/> where y holds what W alone makes of x, epilogue included: an added term is added.
    /// </summary>
    internal virtual void ForwardOver(
        in AdaptedLinear linear, Tensor x, LoraActivations kept, in Epilogue end, Tensor y) =>
        linear.Ops.Linear.AddLora(x, Term(linear.Batch, kept.U), y);

    /// <param name="dy">[N, D_out].</param>
    /// <param name="x">[N, D_in] from forward.</param>
    /// <param name="dx">[N, D_in]; null where nothing below is trained.</param>
    /// <param name="end">Whether to add to dx, and what it goes on to.</param>
    internal abstract void Backward(
        in AdaptedLinear linear, Tensor dy, Tensor x, LoraActivations kept, LoraScratch s, Tensor? dx,
        in InputGradient end);

    /// <summary>What merges the update as it is now, in fp64; rounding is left to the caller.</summary>
    /// <returns>Takes the first row and rows of W from there on, [rows, D_in], and changes them in place.</returns>
    public abstract Action<int, double[]> Merger();

    /// <summary>
    /// Turns the whole update down or up: 0 is the base model, 1 the update as <paramref name="trained"/> holds it.
    /// </summary>
    /// <param name="trained">The values of <see cref="Parameters"/> as they were trained.</param>
    /// <param name="weight">W of the linear.</param>
    public virtual void SetStrength(IBackend ops, IReadOnlyList<double[]> trained, double strength, Tensor weight) =>
        B.Value.Write([.. trained[1].Select(value => value * strength)]);

    /// <summary>The values of <see cref="Parameters"/> that keep the largest singular directions alone.</summary>
    /// <param name="trained">The values of <see cref="Parameters"/> as they were trained.</param>
    /// <param name="rank">How many, from 0.</param>
    /// <exception cref="SafeLlamaException">This variant is no sum of singular directions.</exception>
    public virtual IReadOnlyList<double[]> Truncated(IReadOnlyList<double[]> trained, int rank) =>
        throw SafeLlamaException.Usage(
            $"{Module}: only the update of plain LoRA is a product whose rank can be cut; leave the rank as it is.");

    /// <summary>A drawn uniformly within ±1/√D_in (He et al.'s rule as PEFT has it), B zero.</summary>
    private protected void InitializePlain(Philox stream)
    {
        var bound = 1 / Math.Sqrt(A.Value.Columns);
        var values = new double[A.Value.Shape.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = bound * ((2 * stream.Uniform(i)) - 1);
        }

        A.Value.Write(values);
    }

    private protected LoraTerm Term(TokenBatch batch, Tensor u) => new(
        StoredA, StoredB, Scale,
        batch.DropoutStream is { } stream && Dropout > 0
            ? new Dropout(Dropout, stream.Fork(Index)) : Kernels.Dropout.None,
        u);

    /// <summary>rows += s · B A, of the rows of W from the first one given on.</summary>
    private protected Action<int, double[]> Adder()
    {
        var (a, b, columns) = (StoredA.ReadDoubles(), StoredB.ReadDoubles(), StoredA.Columns);
        return (first, rows) =>
        {
            for (var o = 0; o < rows.Length / columns; o++)
            {
                for (var k = 0; k < Rank; k++)
                {
                    var factor = Scale * b[((first + o) * Rank) + k];
                    for (var i = 0; i < columns; i++)
                    {
                        rows[(o * columns) + i] += factor * a[(k * columns) + i];
                    }
                }
            }
        };
    }
}
