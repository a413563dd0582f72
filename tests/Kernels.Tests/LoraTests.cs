using SafeLlama.Common;

namespace SafeLlama.Kernels.Tests;

[TestFixtureSource(typeof(Backends), nameof(Backends.All))]
internal sealed class LoraTests(string backend)
{
    /// <summary>Rows, inputs, outputs, rank, dropout.</summary>
    private static readonly object[] Sizes =
    [
        new object[] { 1, 9, 7, 1, 0.0 }, new object[] { 5, 123, 77, 4, 0.0 }, new object[] { 70, 260, 130, 8, 0.05 },
        new object[] { 13, 1024, 1024, 16, 0.3 }, new object[] { 131, 100, 300, 5, 0.5 },
        new object[] { 40, 64, 64, 64, 0.0 },
    ];

    [TestCaseSource(nameof(Sizes))]
    public void Forward_agrees_with_reference(int rows, int inputs, int outputs, int rank, double dropout) =>
        OpTests.AgreesWithReference(backend, t => Forward(t, rows, inputs, outputs, rank, dropout));

    [TestCaseSource(nameof(Sizes))]
    public void Backward_agrees_with_reference(int rows, int inputs, int outputs, int rank, double dropout) =>
        OpTests.AgreesWithReference(
            backend, t => [.. Backward(t, rows, inputs, outputs, rank, dropout).Select(g => g.Gradient)]);

    /// <summary>B is not zero here: at B = 0 the gradient of A vanishes and proves nothing.</summary>
    [Category("Gradient")]
    [TestCase(4, 7, 5, 2, 0.0)]
    [TestCase(4, 7, 5, 3, 0.4)]
    public void Backward_agrees_with_finite_differences(int rows, int inputs, int outputs, int rank, double dropout) =>
        OpTests.AgreesWithFiniteDifferences(
            backend,
            t => t.Weigh(Forward(t, rows, inputs, outputs, rank, dropout)[1]),
            t => Backward(t, rows, inputs, outputs, rank, dropout));

    /// <summary>
    /// The term joins the frozen product where it can: ragged rows, two blocks of k, and what the product is added to.
    /// </summary>
    [Test]
    public void Beside_a_frozen_product_agrees_with_reference(
        [Values(3, 20, 131)] int rows, [Values(77, 400)] int inputs, [Values(1, 8, 33)] int rank,
        [Values(0, 0.3)] double dropout, [Values] bool residual) =>
        OpTests.AgreesWithReference(backend, t => Beside(t, rows, inputs, 90, rank, dropout, residual), 4e-6);

    /// <summary>
    /// What decoding side by side rests on: as many rows as the backend says, in every stored type, beside an adapter.
    /// </summary>
    [Test]
    public void Independent_rows_have_the_bytes_that_they_have_alone(
        [Values(DType.Float32, DType.BFloat16, DType.Float16)] DType type, [Values(64, 123, 1024)] int inputs,
        [Values(4, 33)] int rank)
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var rows = Math.Min(opened.Linear.IndependentRows, 24);
        Assert.That(rows, Is.GreaterThanOrEqualTo(8));
        var (x, a, b) = Inputs(t, rows, inputs, 90, rank);
        var (weight, u) = (t.Input("weight", new(90, inputs), type), t.Output("u", new(rows, rank), opened.Accumulation));
        var (together, alone) = (t.Output("together", new(rows, 90)), t.Output("alone", new(rows, 90)));
        opened.Linear.Forward(x, weight, new LoraTerm(a, b, 2, Dropout.None, u), default, together);
        for (var row = 0; row < rows; row++)
        {
            var term = new LoraTerm(a, b, 2, Dropout.None, u.Slice(row, 1));
            opened.Linear.Forward(x.Slice(row, 1), weight, term, default, alone.Slice(row, 1));
        }

        Assert.That(together.ReadDoubles(), Is.EqualTo(alone.ReadDoubles()));
    }

    [Test]
    public void Nothing_below_may_learn()
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        Assert.That(() => Backward(t, 5, 12, 9, 2, 0.1, needsInput: false), Throws.Nothing);
    }

    [Test]
    public void Dropout_drops_its_share_and_keeps_the_mean()
    {
        var dropout = new Dropout(0.25, Philox.Stream(3, "dropout"));
        var factors = Enumerable.Range(0, 40_000).Select(i => dropout.Factor(i)).ToArray();
        Assert.That(factors.Count(f => f == 0) / 40_000.0, Is.EqualTo(0.25).Within(0.01));   // 4.6 standard errors
        Assert.That(factors.Where(f => f != 0), Is.All.EqualTo(1 / 0.75f));
    }

    [Test]
    public void Forward_names_the_wrong_tensor()
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var (x, a, b) = (t.Input("x", new(2, 8)), t.Input("lora_A", new(4, 8)), t.Input("lora_B", new(6, 3)));
        Assert.That(
            () => opened.Linear.Forward(
                x, t.Input("weight", new(6, 8)), new LoraTerm(a, b, 2, Dropout.None, t.Output("u", new(2, 4))), default,
                t.Output("y", new(2, 6))),
            Throws.ArgumentException.With.Message.EqualTo(
                "Linear: b ('lora_B') has shape [6, 3], expected [6, 4]: its columns are the rows of A, the rank."));
    }

    /// <summary>
    /// The term alone: the weight is zero, y begins as a residual, and a bias, of zeros, keeps the CPU from fusing.
    /// </summary>
    public static Tensor[] Forward(TestTensors t, int rows, int inputs, int outputs, int rank, double dropout)
    {
        var (x, a, b) = Inputs(t, rows, inputs, outputs, rank);
        var u = t.Output("u", new(rows, rank), t.Backend.Accumulation);
        var (before, y) = (t.Gradient("y", new(rows, outputs)), t.Output("y", new(rows, outputs)));
        var bias = t.Input("bias", new(outputs), new double[outputs]);
        t.Backend.Linear.Forward(
            x, Zero(t, inputs, outputs), new LoraTerm(a, b, 2, Drop(dropout), u), new(bias, before), y);
        return [u, y];
    }

    public static (string Input, Tensor Gradient)[] Backward(
        TestTensors t, int rows, int inputs, int outputs, int rank, double dropout, bool needsInput = true)
    {
        var u = Forward(t, rows, inputs, outputs, rank, dropout)[0];
        var (x, a, b) = Inputs(t, rows, inputs, outputs, rank);
        var du = t.Output("du", u.Shape, t.Backend.Accumulation);
        var (da, db) = (Gradient("da", a), Gradient("db", b));
        var dx = t.Gradient("dx", x.Shape);
        var lora = new LoraTerm(a, b, 2, Drop(dropout), u);
        t.Backend.Linear.BackwardLora(
            t.Input("dy", new(rows, outputs)), x, Zero(t, inputs, outputs), lora, new(du, da, db),
            needsInput ? dx : null, accumulate: true);
        return [("x", dx), ("a", da), ("b", db)];

        Tensor Gradient(string name, Tensor of) => t.Gradient(name, of.Shape, t.Backend.Accumulation);
    }

    private static Tensor[] Beside(
        TestTensors t, int rows, int inputs, int outputs, int rank, double dropout, bool residual)
    {
        var (x, a, b) = Inputs(t, rows, inputs, outputs, rank);
        var (weight, dy) = (t.Input("weight", new(outputs, inputs)), t.Input("dy", new(rows, outputs)));
        var u = t.Output("u", new(rows, rank), t.Backend.Accumulation);
        var y = t.Output("y", new(rows, outputs));
        var before = residual ? t.Input("residual", y.Shape) : null;
        var lora = new LoraTerm(a, b, 2, Drop(dropout), u);
        t.Backend.Linear.Forward(x, weight, lora, new(Residual: before), y);
        var da = t.Gradient("da", a.Shape, t.Backend.Accumulation);
        var db = t.Gradient("db", b.Shape, t.Backend.Accumulation);
        var (du, dx) = (t.Output("du", u.Shape, t.Backend.Accumulation), t.Gradient("dx", x.Shape));
        t.Backend.Linear.BackwardLora(dy, x, weight, lora, new(du, da, db), dx, accumulate: residual);
        return [u, y, da, db, dx];
    }

    private static (Tensor X, Tensor A, Tensor B) Inputs(TestTensors t, int rows, int inputs, int outputs, int rank) =>
        (
        t.Input("x", new(rows, inputs)),
        t.Input("a", new(rank, inputs), t.Backend.Accumulation),
        t.Input("b", new(outputs, rank), t.Backend.Accumulation));

    private static Tensor Zero(TestTensors t, int inputs, int outputs) =>
        t.Input("zero weight", new(outputs, inputs), new double[inputs * outputs], t.Backend.Accumulation);

    private static Dropout Drop(double probability) => new(probability, Philox.Stream(5, "dropout"));
}
