namespace SafeLlama.Kernels.Tests;

[TestFixtureSource(typeof(Backends), nameof(Backends.All))]
internal sealed class CrossEntropyTests(string backend)
{
    private const double Scale = 1 / 3.0;

    [TestCase(1, 2)]
    [TestCase(5, 123)]
    [TestCase(3, 4096)]      // rows are padded
    [TestCase(2, 128256)]    // LLaMA 3's vocabulary
    public void Forward_agrees_with_reference(int rows, int vocabulary) =>
        OpTests.AgreesWithReference(backend, t => Forward(t, rows, vocabulary));

    [TestCase(1, 2)]
    [TestCase(5, 123)]
    [TestCase(3, 4096)]
    [TestCase(2, 128256)]
    public void Backward_agrees_with_reference(int rows, int vocabulary) =>
        OpTests.AgreesWithReference(backend, t => [Backward(t, rows, vocabulary)]);

    [Category("Gradient")]
    [TestCase(4, 13)]
    public void Backward_agrees_with_finite_differences(int rows, int vocabulary) =>
        OpTests.AgreesWithFiniteDifferences(
            backend,
            t => Scale * Forward(t, rows, vocabulary)[0].ReadDoubles().Sum(),
            t => [("logits", Backward(t, rows, vocabulary))]);

    [Test]
    public void Logits_far_from_zero_stay_finite()
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var logits = t.Input("logits", new(2, 3), [10000, 0, -10000, -10000, -10001, -10000]);
        var (nll, logSum) = (t.Output("nll", new(2)), t.Output("logSum", new(2)));
        opened.CrossEntropy.Forward(logits, t.Ints("targets", 0, -1), nll, logSum);
        Assert.That(nll.ReadDoubles(), Is.EqualTo(new double[] { 0, 0 }));
        Assert.That(logSum.ReadDoubles()[0], Is.EqualTo(10000));
    }

    [Test]
    public void A_row_without_target_has_no_loss_and_no_gradient()
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var nll = Forward(t, 3, 9)[0].ReadDoubles();
        Assert.That(nll[1], Is.Zero);
        Assert.That(Backward(t, 3, 9).ReadDoubles()[9..18], Is.All.Zero);
    }

    [Test]
    public void Forward_names_the_wrong_tensor()
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var (logits, nll, logSum) = (t.Input("logits", new(2, 8)), t.Output("nll", new(2)), t.Output("logSum", new(2)));
        Assert.That(
            () => opened.CrossEntropy.Forward(logits, t.Ints("labels", 1, 2, 3), nll, logSum),
            Throws.ArgumentException.With.Message.EqualTo(
                "CrossEntropy: targets ('labels') has shape [3], expected [2]: one target per row of logits."));
    }

    public static Tensor[] Forward(TestTensors t, int rows, int vocabulary)
    {
        var (logits, targets) = Inputs(t, rows, vocabulary);
        var (nll, logSum) = (Statistic(t, "nll", rows), Statistic(t, "logSum", rows));
        t.Backend.CrossEntropy.Forward(logits, targets, nll, logSum);
        return [nll, logSum];
    }

    /// <summary>dlogits overwrites the logits, as a step does.</summary>
    public static Tensor Backward(TestTensors t, int rows, int vocabulary)
    {
        var logSum = Forward(t, rows, vocabulary)[1];
        var (logits, targets) = Inputs(t, rows, vocabulary);
        t.Backend.CrossEntropy.Backward(logits, targets, logSum, Scale, logits);
        return logits;
    }

    private static Tensor Statistic(TestTensors t, string name, int rows) =>
        t.Output(name, new(rows), t.Backend.Accumulation);

    /// <summary>Row 1 has no target.</summary>
    private static (Tensor Logits, Tensor Targets) Inputs(TestTensors t, int rows, int vocabulary) => (
        t.Input("logits", new(rows, vocabulary), scale: 4),
        t.Ints("targets", [.. Enumerable.Range(0, rows).Select(n => n == 1 ? -1 : n * 31 % vocabulary)]));
}
