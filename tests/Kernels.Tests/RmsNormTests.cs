namespace SafeLlama.Kernels.Tests;

[TestFixtureSource(typeof(Backends), nameof(Backends.All))]
internal sealed class RmsNormTests(string backend) : NormTests(backend)
{
    private const double Epsilon = 1e-5;

    [Test]
    public void Forward_names_the_wrong_tensor()
    {
        using var opened = Backends.Open(Backend);
        using var t = new TestTensors(opened);
        var (x, short7) = (t.Input("x", new(2, 8)), t.Input("norm.weight", new(7)));
        Assert.That(
            () => opened.RmsNorm.Forward(x, short7, Epsilon, t.Output("y", new(2, 8)), t.Output("rstd", new(2))),
            Throws.ArgumentException.With.Message.EqualTo(
                "RmsNorm: weight ('norm.weight') has shape [7], expected [8]: one scale per column of x."));
    }

    public static Tensor[] Forward(TestTensors t, int rows, int dim, DType? weightType = null)
    {
        var (x, weight) = (t.Input("x", new(rows, dim)), t.Input("weight", new(dim), weightType));
        var (y, rstd) = (t.Output("y", new(rows, dim)), t.Output("rstd", new(rows), t.Backend.Accumulation));
        t.Backend.RmsNorm.Forward(x, weight, Epsilon, y, rstd);
        return [y, rstd];
    }

    public static (string Input, Tensor Gradient)[] Backward(TestTensors t, int rows, int dim)
    {
        var rstd = Forward(t, rows, dim)[1];
        var (x, weight) = (t.Input("x", new(rows, dim)), t.Input("weight", new(dim)));
        var (dx, dweight) = (t.Gradient("dx", x.Shape), t.Gradient("dweight", weight.Shape, t.Backend.Accumulation));
        t.Backend.RmsNorm.Backward(t.Input("dy", x.Shape), x, weight, rstd, dx, dweight);
        return [("x", dx), ("weight", dweight)];
    }

    protected override Tensor[] RunForward(TestTensors t, int rows, int dim, DType? type = null) =>
        Forward(t, rows, dim, type);

    protected override (string Input, Tensor Gradient)[] RunBackward(TestTensors t, int rows, int dim) =>
        Backward(t, rows, dim);
}
