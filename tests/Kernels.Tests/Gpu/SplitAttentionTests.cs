namespace SafeLlama.Kernels.Tests;

/// <summary>Attention of a few rows over a long cache, its keys split among groups.</summary>
internal sealed class SplitAttentionTests
{
    private const int HeadDim = 4;

    /// <summary>Parts of one key, of a whole tile and a rest, and of more than a tile.</summary>
    [TestCase(128, 0, 0)]
    [TestCase(300, 0, 64)]
    [TestCase(2400, 7, 2300)]
    [TestCase(9000, 100, 8999)]
    public void A_long_cache_agrees_with_reference(int keys, int first, int last) =>
        OpTests.AgreesWithReference(
            GpuBackend.OpenEmulated(DType.Float32), t => Attend(t, keys, [first], [last]), OpTests.Single);

    /// <summary>Three sequences of different lengths; the second stands in the middle of the cache.</summary>
    [TestCase(DType.Float32)]
    [TestCase(DType.BFloat16)]
    public void A_sequence_is_not_changed_by_what_stands_beside_it(DType activation)
    {
        using var interpreter = new PtxInterpreter();
        using var backend = GpuBackend.OpenInterpreted(activation, interpreter);
        using var t = new TestTensors(backend);
        var together = Attend(t, 600, [0, 200, 400], [131, 399, 400]);
        var alone = Attend(t, 600, [200], [399], skipped: 1);
        Assert.That(together[0].Slice(1, 1).ReadDoubles(), Is.EqualTo(alone[0].ReadDoubles()));
        Assert.That(together[1].Slice(1, 1).ReadDoubles(), Is.EqualTo(alone[1].ReadDoubles()));
    }

    /// <param name="skipped">Rows of q before those that are asked for.</param>
    private static Tensor[] Attend(TestTensors t, int keys, int[] first, int[] last, int skipped = 0)
    {
        const int Heads = 3;
        var rows = first.Length;
        var q = t.Input("q", new(3, Heads * HeadDim)).Slice(skipped, rows);
        var (k, v) = (t.Input("k", new(keys, HeadDim)), t.Input("v", new(keys, HeadDim)));
        var (y, logSum) = (t.Output("y", q.Shape), t.Output("logSum", new(rows, Heads), t.Backend.Accumulation));
        var (from, to) = (t.Ints("first", first), t.Ints("last", last));
        t.Backend.Attention.Forward(new(q, k, v, from, to, HeadDim, 1 / Math.Sqrt(HeadDim)), y, logSum);
        return [y, logSum];
    }
}
