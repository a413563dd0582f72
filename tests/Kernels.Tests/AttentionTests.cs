namespace SafeLlama.Kernels.Tests;

[TestFixtureSource(typeof(Backends), nameof(Backends.All))]
internal sealed class AttentionTests(string backend)
{
    [TestCase(1, 1, 1, 4, 1)]
    [TestCase(7, 2, 1, 10, 1)]      // a head size that fills no vector
    [TestCase(70, 4, 2, 16, 3)]     // three packed examples, grouped queries
    [TestCase(130, 3, 3, 32, 1)]    // more than one block of queries and of keys
    [TestCase(65, 8, 2, 128, 2)]    // rows are padded
    public void Forward_agrees_with_reference(int rows, int heads, int keyHeads, int headDim, int examples) =>
        OpTests.AgreesWithReference(backend, t => Forward(t, rows, heads, keyHeads, headDim, examples));

    [TestCase(7, 2, 1, 10, 1)]
    [TestCase(70, 4, 2, 16, 3)]
    [TestCase(130, 3, 3, 32, 1)]
    [TestCase(65, 8, 2, 128, 2)]
    [TestCase(200, 2, 1, 24, 9)]    // examples shorter than a block
    [TestCase(600, 2, 1, 16, 1)]    // an example that is cut into parts
    public void Backward_agrees_with_reference(int rows, int heads, int keyHeads, int headDim, int examples) =>
        OpTests.AgreesWithReference(
            backend, t => [.. Backward(t, rows, heads, keyHeads, headDim, examples).Select(g => g.Gradient)]);

    [Category("Gradient")]
    [TestCase(7, 2, 1, 5, 2)]
    public void Backward_agrees_with_finite_differences(int rows, int heads, int keyHeads, int headDim, int examples) =>
        OpTests.AgreesWithFiniteDifferences(
            backend,
            t => t.Weigh(Forward(t, rows, heads, keyHeads, headDim, examples)[0]),
            t => Backward(t, rows, heads, keyHeads, headDim, examples));

    [TestCase(1, 300, 8, 2, 32)]
    [TestCase(3, 77, 2, 2, 20)]
    public void Decoding_rows_look_into_a_cache(int rows, int keys, int heads, int keyHeads, int headDim) =>
        OpTests.AgreesWithReference(backend, t => Decode(t, rows, keys, heads, keyHeads, headDim));

    [Test]
    public void Scores_far_apart_stay_finite() =>
        OpTests.AgreesWithReference(
            // fp32 scores near 3000 err by 2e-4
            backend, t => Forward(t, 40, 2, 2, 16, 1, scale: 200), tolerance: 1e-3);

    [Test]
    public void Forward_names_the_wrong_tensor()
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var (q, k, v) = (t.Input("query", new(2, 16)), t.Input("key", new(2, 8)), t.Input("value", new(3, 8)));
        var (first, last) = Ranges(t, 2, 1);
        Assert.That(
            () => opened.Attention.Forward(
                new(q, k, v, first, last, 8, 1), t.Output("y", new(2, 16)), t.Output("logSum", new(2, 2))),
            Throws.ArgumentException.With.Message.EqualTo(
                "Attention: v ('value') has shape [3, 8], expected [2, 8]: one value per key."));
    }

    public static Tensor[] Forward(
        TestTensors t, int rows, int heads, int keyHeads, int headDim, int examples, double scale = 1)
    {
        var (q, k, v) = Inputs(t, rows, rows, heads, keyHeads, headDim);
        var (first, last) = Ranges(t, rows, examples);
        var (y, logSum) = (t.Output("y", q.Shape), t.Output("logSum", new(rows, heads), t.Backend.Accumulation));
        t.Backend.Attention.Forward(new(q, k, v, first, last, headDim, scale / Math.Sqrt(headDim)), y, logSum);
        return [y, logSum];
    }

    public static (string Input, Tensor Gradient)[] Backward(
        TestTensors t, int rows, int heads, int keyHeads, int headDim, int examples)
    {
        var forward = Forward(t, rows, heads, keyHeads, headDim, examples);
        var (y, logSum) = (forward[0], forward[1]);
        var (q, k, v) = Inputs(t, rows, rows, heads, keyHeads, headDim);
        var (first, last) = Ranges(t, rows, examples);
        var (dq, dk, dv) = (t.Output("dq", q.Shape), t.Output("dk", k.Shape), t.Output("dv", v.Shape));
        var delta = t.Output("delta", logSum.Shape, t.Backend.Accumulation);
        var input = new AttentionInput(q, k, v, first, last, headDim, 1 / Math.Sqrt(headDim));
        t.Backend.Attention.Backward(t.Input("dy", y.Shape), input, y, logSum, delta, new(dq, dk, dv));
        return [("q", dq), ("k", dk), ("v", dv)];
    }

    /// <summary>Each row looks at a part of the cache of its own.</summary>
    public static Tensor[] Decode(TestTensors t, int rows, int keys, int heads, int keyHeads, int headDim)
    {
        var (q, k, v) = Inputs(t, rows, keys, heads, keyHeads, headDim);
        var first = t.Ints("first", [.. Enumerable.Range(0, rows).Select(n => n * 20)]);
        var last = t.Ints("last", [.. Enumerable.Range(0, rows).Select(n => keys - 1 - (n * 11))]);
        var (y, logSum) = (t.Output("y", q.Shape), t.Output("logSum", new(rows, heads), t.Backend.Accumulation));
        t.Backend.Attention.Forward(new(q, k, v, first, last, headDim, 1 / Math.Sqrt(headDim)), y, logSum);
        return [y, logSum];
    }

    private static (Tensor Q, Tensor K, Tensor V) Inputs(
        TestTensors t, int rows, int keys, int heads, int keyHeads, int headDim) => (
        t.Input("q", new(rows, heads * headDim)),
        t.Input("k", new(keys, keyHeads * headDim)),
        t.Input("v", new(keys, keyHeads * headDim)));

    /// <summary>Rows cut into packed examples of nearly equal length, each causal.</summary>
    private static (Tensor First, Tensor Last) Ranges(TestTensors t, int rows, int examples) => (
        t.Ints("first", [.. Enumerable.Range(0, rows).Select(n => FirstOf(n * examples / rows, rows, examples))]),
        t.Ints("last", [.. Enumerable.Range(0, rows)]));

    private static int FirstOf(int example, int rows, int examples) => ((example * rows) + examples - 1) / examples;
}
