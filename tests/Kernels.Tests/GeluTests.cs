namespace SafeLlama.Kernels.Tests;

[TestFixtureSource(typeof(Backends), nameof(Backends.All))]
internal sealed class GeluTests(string backend)
{
    /// <summary>The polynomial errs by 7.5e-8, times x; a row's largest results are near 4.</summary>
    private const double Tolerance = 1e-6;

    [TestCase(1, 8)]
    [TestCase(5, 123)]
    [TestCase(300, 260)]
    public void Forward_agrees_with_reference(int rows, int dim) =>
        OpTests.AgreesWithReference(backend, t => [Forward(t, rows, dim)], Tolerance);

    [TestCase(1, 8)]
    [TestCase(5, 123)]
    [TestCase(300, 260)]
    public void Backward_agrees_with_reference(int rows, int dim) =>
        OpTests.AgreesWithReference(backend, t => [Backward(t, rows, dim)[0].Gradient], Tolerance);

    [Category("Gradient")]
    [TestCase(4, 21)]
    public void Backward_agrees_with_finite_differences(int rows, int dim) =>
        OpTests.AgreesWithFiniteDifferences(
            backend, t => t.Weigh(Forward(t, rows, dim)), t => Backward(t, rows, dim));

    /// <summary>Values of Φ from tables; the form with the hyperbolic tangent gives 0.84119 at 1.</summary>
    [TestCase(0, 0)]
    [TestCase(1, 0.8413447460685429)]
    [TestCase(-1, -0.15865525393145705)]
    [TestCase(2, 1.9544997361036416)]
    [TestCase(-9, 0)]
    [TestCase(50, 50)]
    public void The_unit_is_the_exact_one(double x, double expected)
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var y = t.Output("y", new(1, 1));
        opened.Gelu.Forward(t.Input("x", new(1, 1), [x]), y);
        Assert.That(y.ReadDoubles()[0], Is.EqualTo(expected).Within(3e-7 * Math.Max(1, Math.Abs(x))));
    }

    public static Tensor Forward(TestTensors t, int rows, int dim)
    {
        var y = t.Output("y", new(rows, dim));
        t.Backend.Gelu.Forward(t.Input("x", new(rows, dim), scale: 2), y);
        return y;
    }

    public static (string Input, Tensor Gradient)[] Backward(TestTensors t, int rows, int dim)
    {
        var (x, dx) = (t.Input("x", new(rows, dim), scale: 2), t.Output("dx", new(rows, dim)));
        t.Backend.Gelu.Backward(t.Input("dy", x.Shape), x, dx);
        return [("x", dx)];
    }
}
