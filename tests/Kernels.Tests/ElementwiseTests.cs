using SafeLlama.Common;

namespace SafeLlama.Kernels.Tests;

[TestFixtureSource(typeof(Backends), nameof(Backends.All))]
internal sealed class ElementwiseTests(string backend)
{
    [TestCase(5, 123)]
    [TestCase(70, 1024)]    // rows are padded, more than one tile
    public void GatherRows_copies_rows(int rows, int columns) =>
        OpTests.AgreesWithReference(backend, t => [Gather(t, rows, columns)], tolerance: 0);

    [TestCase(5, 123)]
    [TestCase(70, 1024)]
    public void ScatterRows_writes_its_rows_and_leaves_the_others(int rows, int columns) =>
        OpTests.AgreesWithReference(backend, t => [Scatter(t, rows, columns)], tolerance: 0);

    [TestCase(5, 123)]
    [TestCase(70, 1024)]
    public void Add_agrees_with_reference(int rows, int columns) =>
        OpTests.AgreesWithReference(backend, t => [Sum(t, rows, columns)], tolerance: 1e-7);   // one fp32 rounding

    [TestCase(1, 1)]
    [TestCase(5, 123)]
    [TestCase(70, 1024)]
    [TestCase(3, 50000)]    // a row is more than one chunk
    public void Totals_agree_with_reference(int rows, int columns) =>
        OpTests.AgreesWithReference(backend, t => Totals(t, rows, columns), tolerance: 1e-12);   // fp64 sums

    [Test]
    public void A_total_of_a_vector_counts_every_element_once()
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var total = Total(t);
        opened.Elementwise.Sum(t.Input("x", new(100_000), [.. Enumerable.Repeat(1.0, 100_000)]), total);
        Assert.That(total.ReadDoubles()[0], Is.EqualTo(100_000));
    }

    [TestCase(5, 123)]
    [TestCase(70, 1024)]
    public void Noise_agrees_with_reference(int rows, int columns) =>
        OpTests.AgreesWithReference(backend, t => [Noise(t, rows, columns)]);

    [Test]
    public void Noise_fills_its_range_evenly()
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var scale = t.Input("scale", new(2), [0, 2], opened.Accumulation);
        var y = t.Input("y", new(2, 4000), new double[8000]);
        opened.Elementwise.AddNoise(Philox.Stream(1, "noise"), scale, y);
        var values = y.ReadDoubles();
        Assert.That(values[..4000], Is.All.Zero, "a scale of 0");
        Assert.That(values[4000..], Is.All.InRange(-2, 2));
        Assert.That(values[4000..].Average(), Is.EqualTo(0).Within(0.1), "the mean of 4,000 errs by 0.018");
        Assert.That(values[4000..].Average(v => v * v), Is.EqualTo(4 / 3.0).Within(0.1), "2² / 3");
    }

    [Test]
    public void Forward_names_the_wrong_tensor()
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var (x, rows) = (t.Input("hidden", new(4, 8)), t.Ints("targets", 3, 0, 1));
        Assert.That(
            () => opened.Elementwise.GatherRows(x, rows, t.Output("y", new(2, 8))),
            Throws.ArgumentException.With.Message.EqualTo(
                "Elementwise: row ('targets') has shape [3], expected [2]: one row number per row of y."));
    }

    public static Tensor Gather(TestTensors t, int rows, int columns)
    {
        var (x, y) = (t.Input("x", new(rows, columns)), t.Output("y", new(2 * rows, columns)));
        t.Backend.Elementwise.GatherRows(
            x, t.Ints("row", [.. Enumerable.Range(0, 2 * rows).Select(n => n * 3 % rows)]), y);
        return y;
    }

    public static Tensor Noise(TestTensors t, int rows, int columns)
    {
        var y = t.Input("y", new(rows, columns));
        t.Backend.Elementwise.AddNoise(
            Philox.Stream(1, "noise"), t.Input("scale", new(rows), t.Backend.Accumulation), y);
        return y;
    }

    /// <summary>Every third row of y, in falling order.</summary>
    public static Tensor Scatter(TestTensors t, int rows, int columns)
    {
        var (x, y) = (t.Input("x", new(rows, columns)), t.Input("y", new(3 * rows, columns)));
        t.Backend.Elementwise.ScatterRows(
            x, t.Ints("row", [.. Enumerable.Range(0, rows).Select(n => 3 * (rows - 1 - n))]), y);
        return y;
    }

    public static Tensor Sum(TestTensors t, int rows, int columns)
    {
        var type = t.Backend.Accumulation;
        var (x, y) = (t.Input("x", new(rows, columns), type), t.Input("y", new(rows, columns), type));
        t.Backend.Elementwise.Add(x, y);
        return y;
    }

    /// <summary>Totals go on from where they stand.</summary>
    public static Tensor[] Totals(TestTensors t, int rows, int columns)
    {
        var (x, sum, squares) = (t.Input("x", new(rows, columns), t.Backend.Accumulation), Total(t), Total(t));
        t.Backend.Elementwise.Sum(x, sum);
        t.Backend.Elementwise.Sum(x, sum);
        t.Backend.Elementwise.SumOfSquares(x, squares);
        return [sum, squares];
    }

    private static Tensor Total(TestTensors t)
    {
        var total = t.Output("total", new(1), DType.Float64);
        total.Clear();
        return total;
    }
}
