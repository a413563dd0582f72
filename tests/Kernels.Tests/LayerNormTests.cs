namespace SafeLlama.Kernels.Tests;

[TestFixtureSource(typeof(Backends), nameof(Backends.All))]
internal sealed class LayerNormTests(string backend) : NormTests(backend)
{
    private const double Epsilon = 1e-7;

    [Test]
    public void Rows_far_from_zero_keep_their_variance() =>
        // fp32 numbers near 1,000 are 6e-5 apart, and the variance is 1.
        OpTests.AgreesWithReference(Backend, t => Forward(t, 3, 77, shift: 1000), tolerance: 2e-4);

    [Test]
    public void Forward_names_the_wrong_tensor()
    {
        using var opened = Backends.Open(Backend);
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

    protected override Tensor[] RunForward(TestTensors t, int rows, int dim, DType? type = null) =>
        Forward(t, rows, dim, type);

    protected override (string Input, Tensor Gradient)[] RunBackward(TestTensors t, int rows, int dim) =>
        Backward(t, rows, dim);
}
