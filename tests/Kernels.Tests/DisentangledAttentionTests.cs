namespace SafeLlama.Kernels.Tests;

[TestFixtureSource(typeof(Backends), nameof(Backends.All))]
internal sealed class DisentangledAttentionTests(string backend)
{
    [TestCase(1, 1, 4, 1)]
    [TestCase(9, 2, 10, 1)]     // a head size that fills no vector
    [TestCase(70, 3, 16, 4)]    // sequences of several lengths
    [TestCase(130, 2, 64, 1)]   // more than one tile of the product
    public void Forward_agrees_with_reference(int rows, int heads, int headDim, int sequences) =>
        OpTests.AgreesWithReference(backend, t => Forward(t, rows, heads, headDim, sequences));

    [TestCase(9, 2, 10, 1)]
    [TestCase(70, 3, 16, 4)]
    [TestCase(130, 2, 64, 1)]
    public void Backward_agrees_with_reference(int rows, int heads, int headDim, int sequences) =>
        OpTests.AgreesWithReference(
            backend, t => [.. Backward(t, rows, heads, headDim, sequences).Select(g => g.Gradient)]);

    [Category("Gradient")]
    [TestCase(9, 2, 3, 2)]
    public void Backward_agrees_with_finite_differences(int rows, int heads, int headDim, int sequences) =>
        OpTests.AgreesWithFiniteDifferences(
            backend,
            t => t.Weigh(Forward(t, rows, heads, headDim, sequences)[0]),
            t => Backward(t, rows, heads, headDim, sequences));

    [Test]
    public void Any_number_of_threads_gives_the_same_bytes() => OpTests.IsTheSameForAnyThreadCount(
        t => [.. Forward(t, 70, 3, 16, 4), .. Backward(t, 70, 3, 16, 4).Select(g => g.Gradient)]);

    [Test]
    public void Scores_far_apart_stay_finite() =>
        // fp32 scores near 3,000 err by 2e-4.
        OpTests.AgreesWithReference(backend, t => Forward(t, 40, 2, 16, 1, scale: 200), tolerance: 1e-3);

    [Test]
    public void Forward_names_the_wrong_tensor()
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var input = Input(t, 4, 2, 4, 1) with { Value = t.Input("value", new(3, 8)) };
        Assert.That(
            () => opened.DisentangledAttention.Forward(
                input, 4, 1, t.Output("y", new(4, 8)), t.Output("logSum", new(4, 2))),
            Throws.ArgumentException.With.Message.Contains("('value') has shape [3, 8], expected [4, 8]"));
    }

    public static Tensor[] Forward(
        TestTensors t, int rows, int heads, int headDim, int sequences, double scale = 1)
    {
        var input = Input(t, rows, heads, headDim, sequences);
        var (y, logSum) = (
            t.Output("y", input.Query.Shape), t.Output("logSum", new(rows, heads), t.Backend.Accumulation));
        t.Backend.DisentangledAttention.Forward(input, headDim, scale / Math.Sqrt(3 * headDim), y, logSum);
        return [y, logSum];
    }

    public static (string Input, Tensor Gradient)[] Backward(
        TestTensors t, int rows, int heads, int headDim, int sequences)
    {
        var logSum = Forward(t, rows, heads, headDim, sequences)[1];
        var input = Input(t, rows, heads, headDim, sequences);
        var (shape, distances) = (input.Query.Shape, input.Relative.Key.Shape);
        var into = new DisentangledGradients(
            t.Output("dq", shape), t.Output("dk", shape), t.Output("dv", shape), t.Gradient("dkr", distances),
            t.Gradient("dqr", distances), t.Output("delta", logSum.Shape, t.Backend.Accumulation));
        t.Backend.DisentangledAttention.Backward(
            t.Input("dy", shape), input, headDim, 1 / Math.Sqrt(3 * headDim), logSum, into);
        return [("q", into.Query), ("k", into.Key), ("v", into.Value), ("kr", into.RelativeKey),
            ("qr", into.RelativeQuery)];
    }

    /// <summary>Eight distances of which the outer ones span several rows, as buckets do.</summary>
    private static DisentangledInput Input(TestTensors t, int rows, int heads, int headDim, int sequences)
    {
        Tensor Take(string name, int count) => t.Input(name, new(count, heads * headDim));
        var starts = Enumerable.Range(0, sequences + 1).Select(s => s * s * rows / (sequences * sequences)).ToArray();
        int Of(int n) => Enumerable.Range(0, sequences).Last(s => starts[s] <= n);
        var bucket = t.Ints("bucket", [.. Enumerable.Range(1 - rows, (2 * rows) - 1)
            .Select(r => 4 + Math.Clamp(Math.Sign(r) * (int)Math.Sqrt(Math.Abs(r)), -4, 3))]);
        return new(
            Take("q", rows), Take("k", rows), Take("v", rows), new(Take("kr", 8), Take("qr", 8), bucket),
            t.Ints("first", [.. Enumerable.Range(0, rows).Select(n => starts[Of(n)])]),
            t.Ints("last", [.. Enumerable.Range(0, rows).Select(n => starts[Of(n) + 1] - 1)]));
    }
}
