namespace SafeLlama.Kernels.Tests;

[TestFixtureSource(typeof(Backends), nameof(Backends.All))]
internal sealed class LayerNormTests(string backend)
{
    private const double Epsilon = 1e-7;

    [TestCase(1, 8)]
    [TestCase(5, 123)]      // fills no vector and no group evenly
    [TestCase(7, 1024)]     // rows are padded
    [TestCase(300, 260)]    // more than one tile
    public void Forward_agrees_with_reference(int rows, int dim) =>
        OpTests.AgreesWithReference(backend, t => Forward(t, rows, dim));

    [TestCase(DType.BFloat16)]
    [TestCase(DType.Float16)]
    public void Forward_widens_scale_and_shift(DType type) =>
        OpTests.AgreesWithReference(backend, t => Forward(t, 3, 77, type));

    [Test]
    public void Rows_far_from_zero_keep_their_variance() =>
        // fp32 numbers near 1,000 are 6e-5 apart, and the variance is 1.
        OpTests.AgreesWithReference(backend, t => Forward(t, 3, 77, shift: 1000), tolerance: 2e-4);

    [TestCase(1, 8)]
    [TestCase(5, 123)]
    [TestCase(7, 1024)]
    [TestCase(300, 260)]
    public void Backward_agrees_with_reference(int rows, int dim) =>
        OpTests.AgreesWithReference(backend, t => [.. Backward(t, rows, dim).Select(g => g.Gradient)]);

    [Category("Gradient")]
    [TestCase(1, 8)]
    [TestCase(4, 21)]
    public void Backward_agrees_with_finite_differences(int rows, int dim) =>
        OpTests.AgreesWithFiniteDifferences(
            backend, t => t.Weigh(Forward(t, rows, dim)[0]), t => Backward(t, rows, dim));

    [Test]
    public void Forward_names_the_wrong_tensor()
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var (x, weight, short7) = (t.Input("x", new(2, 8)), t.Input("weight", new(8)), t.Input("norm.bias", new(7)));
        var (y, mean, rstd) = (t.Output("y", new(2, 8)), t.Output("mean", new(2)), t.Output("rstd", new(2)));
        Assert.That(
            () => opened.LayerNorm.Forward(x, weight, short7, Epsilon, y, mean, rstd),
            Throws.ArgumentException.With.Message.EqualTo(
                "LayerNorm: bias ('norm.bias') has shape [7], expected [8]: one shift per column of x."));
    }

    public static Tensor[] Forward(TestTensors t, int rows, int dim, DType? type = null, double shift = 0)
    {
        var x = t.Input("x", new(rows, dim));
        if (shift != 0)
        {
            x.Write([.. x.ReadDoubles().Select(value => value + shift)]);
        }

        var (weight, bias) = (t.Input("weight", new(dim), type), t.Input("bias", new(dim), type));
        var wide = t.Backend.Accumulation;
        var (y, mean, rstd) = (
            t.Output("y", new(rows, dim)), t.Output("mean", new(rows), wide), t.Output("rstd", new(rows), wide));
        t.Backend.LayerNorm.Forward(x, weight, bias, Epsilon, y, mean, rstd);
        return [y, mean, rstd];
    }

    public static (string Input, Tensor Gradient)[] Backward(TestTensors t, int rows, int dim)
    {
        var forward = Forward(t, rows, dim);
        var (x, weight, wide) = (t.Input("x", new(rows, dim)), t.Input("weight", new(dim)), t.Backend.Accumulation);
        var (dx, dweight, dbias) = (
            t.Gradient("dx", x.Shape), t.Gradient("dweight", weight.Shape, wide),
            t.Gradient("dbias", weight.Shape, wide));
        t.Backend.LayerNorm.Backward(
            t.Input("dy", x.Shape), x, weight, forward[1], forward[2], dx, dweight, dbias);
        return [("x", dx), ("weight", dweight), ("bias", dbias)];
    }
}
