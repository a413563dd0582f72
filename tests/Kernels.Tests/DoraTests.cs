namespace SafeLlama.Kernels.Tests;

[TestFixtureSource(typeof(Backends), nameof(Backends.All))]
internal sealed class DoraTests(string backend)
{
    [TestCase(1, 8)]
    [TestCase(5, 123)]
    [TestCase(300, 260)]
    public void Forward_agrees_with_reference(int rows, int outputs) =>
        OpTests.AgreesWithReference(backend, t => [Forward(t, rows, outputs)]);

    [TestCase(1, 8)]
    [TestCase(5, 123)]
    [TestCase(300, 260)]
    public void Backward_agrees_with_reference(int rows, int outputs) =>
        OpTests.AgreesWithReference(backend, t => [.. Backward(t, rows, outputs).Select(g => g.Gradient)]);

    [TestCase(7, 19, 3)]
    [TestCase(130, 259, 8)]
    public void The_norm_agrees_with_reference_in_every_stored_type(int outputs, int inputs, int rank)
    {
        foreach (var type in new[] { DType.Float32, DType.BFloat16, DType.Float16 })
        {
            OpTests.AgreesWithReference(backend, t => [Norm(t, outputs, inputs, rank, type)]);
        }
    }

    /// <summary>The norm is an input here: to the gradient it is a constant.</summary>
    [Category("Gradient")]
    [TestCase(4, 21)]
    public void Backward_agrees_with_finite_differences(int rows, int outputs) =>
        OpTests.AgreesWithFiniteDifferences(
            backend, t => t.Weigh(Forward(t, rows, outputs)), t => Backward(t, rows, outputs));

    [Test]
    public void A_row_of_three_and_four_has_the_norm_five()
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var norm = t.Output("norm", new(1), opened.Accumulation);
        opened.Dora.Norm(
            t.Input("w", new(1, 2), [1, 4]), t.Input("a", new(1, 2), [1, 0]), t.Input("b", new(1, 1), [4]), 0.5, norm);
        Assert.That(norm.ReadDoubles()[0], Is.EqualTo(5).Within(1e-6), "[1 + ½ · 4 · 1, 4]");
    }

    /// <summary>Pruned rows and padding: 0 / 0 would spread from one row over the whole model.</summary>
    [Test]
    public void A_row_of_zeros_stays_zero()
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var norm = t.Output("norm", new(2), opened.Accumulation);
        opened.Dora.Norm(
            t.Input("w", new(2, 2), [0, 0, 3, 4]), t.Input("a", new(1, 2), [1, 1], opened.Accumulation),
            t.Input("b", new(2, 1), [0, 0], opened.Accumulation), 0.5, norm);
        var magnitude = t.Input("magnitude", new(2), [0, 5], opened.Accumulation);
        var (z, y) = (t.Input("z", new(1, 2), [0, 2]), t.Output("y", new(1, 2)));
        opened.Dora.Forward(z, magnitude, norm, null, null, y);
        Assert.That(y.ReadDoubles(), Is.EqualTo(new double[] { 0, 2 }));
        var (dz, start) = (t.Output("dz", z.Shape), new double[] { 1, 1 });
        var dmagnitude = t.Input("dmagnitude", new(2), start, opened.Accumulation);
        opened.Dora.Backward(t.Input("dy", new(1, 2), [1, 2.5]), z, magnitude, norm, dz, dmagnitude);
        Assert.That(dz.ReadDoubles(), Is.EqualTo(new[] { 0, 2.5 }));
        Assert.That(dmagnitude.ReadDoubles(), Is.EqualTo(new double[] { 1, 2 }), "1 + 2.5 · 2 / 5");
    }

    [Test]
    public void A_norm_of_the_wrong_shape_is_named()
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var (z, y, m) = (t.Input("z", new(2, 3)), t.Output("y", new(2, 3)), t.Input("m", new(3)));
        Assert.That(
            () => opened.Dora.Forward(z, m, t.Input("norm", new(2)), null, null, y),
            Throws.ArgumentException.With.Message.Contains("norm"));
    }

    public static Tensor Forward(TestTensors t, int rows, int outputs)
    {
        var y = t.Output("y", new(rows, outputs));
        var (magnitude, norm) = Vectors(t, outputs);
        t.Backend.Dora.Forward(
            t.Input("z", new(rows, outputs)), magnitude, norm, t.Input("bias", new(outputs), t.Backend.Accumulation),
            t.Input("stream", y.Shape), y);
        return y;
    }

    public static (string Input, Tensor Gradient)[] Backward(TestTensors t, int rows, int outputs)
    {
        var z = t.Input("z", new(rows, outputs));
        var (magnitude, norm) = Vectors(t, outputs);
        var (dz, dmagnitude) = (
            t.Output("dz", z.Shape), t.Gradient("dmagnitude", magnitude.Shape, t.Backend.Accumulation));
        t.Backend.Dora.Backward(t.Input("dy", z.Shape), z, magnitude, norm, dz, dmagnitude);
        return [("z", dz), ("magnitude", dmagnitude)];
    }

    public static Tensor Norm(TestTensors t, int outputs, int inputs, int rank, DType type)
    {
        var norm = t.Output("norm", new(outputs), t.Backend.Accumulation);
        t.Backend.Dora.Norm(
            t.Input("weight", new(outputs, inputs), type), t.Input("a", new(rank, inputs), t.Backend.Accumulation),
            t.Input("b", new(outputs, rank), t.Backend.Accumulation), 0.5, norm);
        return norm;
    }

    private static (Tensor Magnitude, Tensor Norm) Vectors(TestTensors t, int outputs) => (
        t.Input("magnitude", new(outputs), t.Backend.Accumulation),
        t.Input("norm", new(outputs), [.. Enumerable.Range(0, outputs).Select(o => 0.5 + (o % 7))],
            t.Backend.Accumulation));
}
