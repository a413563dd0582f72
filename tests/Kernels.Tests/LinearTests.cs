namespace SafeLlama.Kernels.Tests;

[TestFixtureSource(typeof(Backends), nameof(Backends.All))]
internal sealed class LinearTests(string backend)
{
    /// <summary>
    /// Rows, inputs, outputs: one row, sizes that fill no block, padded rows, more than one block each way.
    /// </summary>
    private static readonly object[] Sizes =
    [
        new[] { 1, 1, 1 }, new[] { 1, 123, 77 }, new[] { 5, 33, 65 }, new[] { 13, 1024, 40 }, new[] { 70, 40, 1024 },
        new[] { 64, 96, 128 }, new[] { 131, 401, 530 },
    ];

    [TestCaseSource(nameof(Sizes))]
    public void Forward_agrees_with_reference(int rows, int inputs, int outputs) =>
        OpTests.AgreesWithReference(backend, t => [Forward(t, rows, inputs, outputs)]);

    [Test]
    public void Forward_widens_the_weight(
        [Values(DType.Float32, DType.BFloat16, DType.Float16)] DType type, [Values(1, 9, 70)] int rows,
        [Values] bool bias) =>
        OpTests.AgreesWithReference(backend, t => [Forward(t, rows, 123, 77, type, bias)]);

    [Test]
    public void Forward_adds_to_a_residual([Values(1, 9, 70)] int rows, [Values] bool bias) =>
        OpTests.AgreesWithReference(backend, t => [ForwardResidual(t, rows, 123, 77, bias)]);

    [Test]
    public void Forward_with_a_gate_agrees_with_reference([Values(1, 9, 70)] int rows) =>
        OpTests.AgreesWithReference(backend, t => ForwardGated(t, rows, 123, 77));

    [Test]
    public void Forward_with_a_gate_gives_the_bytes_of_the_two_ops_it_joins([Values(1, 9, 70)] int rows)
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var joined = ForwardGated(t, rows, 123, 77);
        var up = Forward(t, rows, 123, 77);
        var product = t.Output("product", up.Shape);
        opened.SwiGlu.Forward(t.Input("gate", up.Shape), up, product);
        Assert.That(joined[0].ReadDoubles(), Is.EqualTo(up.ReadDoubles()));
        Assert.That(joined[1].ReadDoubles(), Is.EqualTo(product.ReadDoubles()));
    }

    [TestCaseSource(nameof(Sizes))]
    public void Backward_agrees_with_reference(int rows, int inputs, int outputs) =>
        OpTests.AgreesWithReference(
            backend, t => [.. Backward(t, rows, inputs, outputs, accumulate: true).Select(g => g.Gradient)]);

    [Test]
    public void BackwardInput_widens_the_weight(
        [Values(DType.Float32, DType.BFloat16, DType.Float16)] DType type, [Values(1, 9, 70)] int rows,
        [Values] bool accumulate) =>
        OpTests.AgreesWithReference(backend, t => [Backward(t, rows, 123, 77, accumulate, type)[0].Gradient]);

    [Category("Gradient")]
    [TestCase(3, 7, 5)]
    public void Backward_agrees_with_finite_differences(int rows, int inputs, int outputs) =>
        OpTests.AgreesWithFiniteDifferences(
            backend, t => t.Weigh(Forward(t, rows, inputs, outputs)),
            t => Backward(t, rows, inputs, outputs, accumulate: true));

    [Test]
    public void Forward_names_the_wrong_tensor()
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var (x, weight) = (t.Input("x", new(2, 8)), t.Input("q_proj.weight", new(4, 7)));
        Assert.That(
            () => opened.Linear.Forward(x, weight, t.Output("y", new(2, 4))),
            Throws.ArgumentException.With.Message.EqualTo(
                "Linear: weight ('q_proj.weight') has shape [4, 7], expected [4, 8]: its columns are the columns of "
                + "x."));
    }

    [Test]
    public void Forward_names_a_residual_of_another_shape()
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var (x, weight) = (t.Input("x", new(2, 8)), t.Input("o_proj.weight", new(4, 8)));
        Assert.That(
            () => opened.Linear.Forward(
                x, weight, null, new(Residual: t.Input("hidden.0", new(1, 4))), t.Output("y", new(2, 4))),
            Throws.ArgumentException.With.Message.EqualTo(
                "Linear: residual ('hidden.0') has shape [1, 4], expected [2, 4]: one value per element of y."));
    }

    public static Tensor Forward(TestTensors t, int rows, int inputs, int outputs, DType? type = null, bool bias = true)
    {
        var (x, weight) = (t.Input("x", new(rows, inputs)), t.Input("weight", new(outputs, inputs), type));
        var y = t.Output("y", new(rows, outputs));
        t.Backend.Linear.Forward(x, weight, null, new(bias ? t.Input("bias", new(outputs), type) : null), y);
        return y;
    }

    /// <summary>The stream is stored as sums are, whatever the activations' type.</summary>
    public static Tensor ForwardResidual(
        TestTensors t, int rows, int inputs, int outputs, bool bias = true, DType? type = null)
    {
        var (x, weight) = (t.Input("x", new(rows, inputs)), t.Input("weight", new(outputs, inputs), type));
        var residual = t.Input("residual", new(rows, outputs), t.Backend.Accumulation);
        var y = t.Output("y", residual.Shape, residual.Type);
        t.Backend.Linear.Forward(x, weight, null, new(bias ? t.Input("bias", new(outputs)) : null, residual), y);
        return y;
    }

    public static Tensor[] ForwardGated(TestTensors t, int rows, int inputs, int outputs)
    {
        var (x, weight) = (t.Input("x", new(rows, inputs)), t.Input("weight", new(outputs, inputs)));
        var (gate, bias) = (t.Input("gate", new(rows, outputs)), t.Input("bias", new(outputs)));
        var (y, product) = (t.Output("up", gate.Shape), t.Output("product", gate.Shape));
        t.Backend.Linear.Forward(x, weight, null, new(bias, Gate: gate, Gated: product), y);
        return [y, product];
    }

    public static (string Input, Tensor Gradient)[] Backward(
        TestTensors t, int rows, int inputs, int outputs, bool accumulate, DType? type = null)
    {
        var (x, weight) = (t.Input("x", new(rows, inputs)), t.Input("weight", new(outputs, inputs), type));
        t.Input("bias", new(outputs));
        var dy = t.Input("dy", new(rows, outputs));
        var dx = t.Gradient("dx", x.Shape);
        var dweight = t.Gradient("dweight", weight.Shape, t.Backend.Accumulation);
        var dbias = t.Gradient("dbias", new(outputs), t.Backend.Accumulation);
        t.Backend.Linear.BackwardInput(dy, weight, dx, accumulate);
        t.Backend.Linear.BackwardWeight(dy, x, dweight, dbias);
        return [("x", dx), ("weight", dweight), ("bias", dbias)];
    }
}
