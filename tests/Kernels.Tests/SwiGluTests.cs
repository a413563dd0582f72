namespace SafeLlama.Kernels.Tests;

[TestFixtureSource(typeof(Backends), nameof(Backends.All))]
internal sealed class SwiGluTests(string backend)
{
    [TestCase(1, 1)]
    [TestCase(5, 123)]
    [TestCase(3, 2048)]     // rows are padded
    [TestCase(200, 344)]    // more than one tile
    public void Forward_agrees_with_reference(int rows, int columns) =>
        OpTests.AgreesWithReference(backend, t => [Forward(t, rows, columns)]);

    [TestCase(5, 123)]
    [TestCase(3, 2048)]
    [TestCase(200, 344)]
    public void Backward_agrees_with_reference(int rows, int columns) =>
        OpTests.AgreesWithReference(backend, t => [.. Backward(t, rows, columns).Select(g => g.Gradient)]);

    [Category("Gradient")]
    [TestCase(3, 11)]
    public void Backward_agrees_with_finite_differences(int rows, int columns) =>
        OpTests.AgreesWithFiniteDifferences(
            backend, t => t.Weigh(Forward(t, rows, columns)), t => Backward(t, rows, columns));

    [Test]
    public void Gates_far_from_zero_stay_finite()
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var gate = t.Input("gate", new(1, 4), [-1000, -90, 90, 1000]);
        var (up, product) = (t.Input("up", new(1, 4), [1, 1, 1, 1]), t.Output("product", new(1, 4)));
        opened.SwiGlu.Forward(gate, up, product);
        Assert.That(product.ReadDoubles(), Is.EqualTo(new double[] { 0, 0, 90, 1000 }).Within(1e-30));
        var (dgate, dup) = (t.Output("dgate", gate.Shape), t.Output("dup", gate.Shape));
        opened.SwiGlu.Backward(up, gate, up, dgate, dup);
        Assert.That(dgate.ReadDoubles(), Is.EqualTo(new double[] { 0, 0, 1, 1 }).Within(1e-30));
    }

    [Test]
    public void Forward_names_the_wrong_tensor()
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var (gate, up) = (t.Input("gate", new(2, 8)), t.Input("up_proj", new(2, 9)));
        Assert.That(
            () => opened.SwiGlu.Forward(gate, up, t.Output("product", new(2, 8))),
            Throws.ArgumentException.With.Message.EqualTo(
                "SwiGlu: up ('up_proj') has shape [2, 9], expected [2, 8]: one value per gate."));
    }

    public static Tensor Forward(TestTensors t, int rows, int columns)
    {
        var (gate, up, product) = Inputs(t, rows, columns);
        t.Backend.SwiGlu.Forward(gate, up, product);
        return product;
    }

    /// <summary>dup takes the memory of dproduct, as a step does.</summary>
    public static (string Input, Tensor Gradient)[] Backward(TestTensors t, int rows, int columns)
    {
        var (gate, up, dgate) = Inputs(t, rows, columns);
        var dproduct = t.Input("dy", gate.Shape);
        t.Backend.SwiGlu.Backward(dproduct, gate, up, dgate, dproduct);
        return [("gate", dgate), ("up", dproduct)];
    }

    private static (Tensor Gate, Tensor Up, Tensor Result) Inputs(TestTensors t, int rows, int columns) =>
        (
            t.Input("gate", new(rows, columns), scale: 3), t.Input("up", new(rows, columns)),
            t.Output("result", new(rows, columns)));
}
