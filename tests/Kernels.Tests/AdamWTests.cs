namespace SafeLlama.Kernels.Tests;

[TestFixtureSource(typeof(Backends), nameof(Backends.All))]
internal sealed class AdamWTests(string backend)
{
    private static readonly AdamWStep Step = new(1e-3, 0.9, 0.999, 1e-8, 0.01, Step: 3, MaxNorm: 1);

    [TestCase(1, 1)]
    [TestCase(5, 123)]
    [TestCase(70, 1024)]    // rows are padded, more than one tile
    public void Update_agrees_with_reference(int rows, int columns) =>
        OpTests.AgreesWithReference(backend, t => Update(t, rows, columns, normSquared: 9));

    [Test]
    public void The_first_step_moves_every_weight_by_the_learning_rate()
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var (value, gradient) = (t.Input("value", new(1, 3), [1, 1, 1]), t.Input("gradient", new(1, 3), [5, -0.01, 2]));
        var (m, v) = (t.Input("m", new(1, 3), [0, 0, 0]), t.Input("v", new(1, 3), [0, 0, 0]));
        opened.AdamW.Update(
            value, gradient, m, v, Step with { Step = 1, WeightDecay = 0, MaxNorm = 0 }, Norm(t, 29.0001));
        // fp32 near 1, and ε
        Assert.That(value.ReadDoubles(), Is.EqualTo(new[] { 0.999, 1.001, 0.999 }).Within(1e-6));
    }

    [TestCase(double.NaN)]
    [TestCase(double.PositiveInfinity)]
    public void A_norm_that_is_not_finite_changes_nothing(double normSquared)
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var after = Update(t, 3, 5, normSquared);
        Assert.That(after[0].ReadDoubles(), Is.EqualTo(t.Inputs["value"]));
        Assert.That(after[1].ReadDoubles(), Is.EqualTo(t.Inputs["m"]));
        Assert.That(after[2].ReadDoubles(), Is.EqualTo(t.Inputs["v"]));
    }

    [Test]
    public void Update_names_the_wrong_tensor()
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        Tensor Of(string name, int columns) => t.Input(name, new(1, columns), t.Backend.Accumulation);
        Assert.That(
            () => opened.AdamW.Update(
                Of("lora_A", 8), Of("lora_A.gradient", 7), Of("m", 8), Of("v", 8), Step, Norm(t, 1)),
            Throws.ArgumentException.With.Message.EqualTo(
                "AdamW: gradient ('lora_A.gradient') has shape [1, 7], expected [1, 8]: "
                + "one gradient per element of the parameter."));
    }

    public static Tensor[] Update(TestTensors t, int rows, int columns, double normSquared)
    {
        Tensor Of(string name, double scale) => t.Input(name, new(rows, columns), t.Backend.Accumulation, scale);
        var (value, gradient, m) = (Of("value", 0.02), Of("gradient", 0.1), Of("m", 0.1));
        var v = t.Input(
            "v", new(rows, columns), [.. m.ReadDoubles().Select(x => (double)(float)(x * x))], t.Backend.Accumulation);
        t.Backend.AdamW.Update(value, gradient, m, v, Step, Norm(t, normSquared));
        return [value, m, v];
    }

    private static Tensor Norm(TestTensors t, double squared)
    {
        var norm = t.Output("norm", new(1), DType.Float64);
        norm.Write([squared]);
        return norm;
    }
}
