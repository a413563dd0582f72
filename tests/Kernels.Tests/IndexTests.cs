namespace SafeLlama.Kernels.Tests;

/// <summary>A number that names no row would read foreign memory; the CPU path says so instead.</summary>
[TestFixtureSource(typeof(Backends), nameof(Backends.Simd))]
internal sealed class IndexTests(string backend)
{
    [Test]
    public void A_token_beyond_the_table_is_named()
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var (tokens, weight, y) = (t.Ints("tokens", 1, 5), t.Input("weight", new(5, 8)), t.Output("y", new(2, 8)));
        Assert.That(
            () => opened.Embedding.Forward(tokens, weight, y),
            Throws.ArgumentException.With.Message.EqualTo(
                "Embedding: tokens[1] ('tokens') is 5, expected 0 … 4: a token is a row of the table."));
    }

    [Test]
    public void A_position_beyond_the_table_is_named()
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var (cos, sin) = (t.Input("cos", new(3, 4)), t.Input("sin", new(3, 4)));
        Assert.That(
            () => opened.Rope.Forward(t.Input("x", new(1, 8)), t.Ints("positions", -1), cos, sin),
            Throws.ArgumentException.With.Message.Contains("positions[0] ('positions') is -1, expected 0 … 2"));
    }

    [Test]
    public void A_target_beyond_the_vocabulary_is_named()
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var (logits, nll, logSum) = (t.Input("logits", new(1, 8)), t.Output("nll", new(1)), t.Output("logSum", new(1)));
        Assert.That(
            () => opened.CrossEntropy.Forward(logits, t.Ints("targets", 8), nll, logSum),
            Throws.ArgumentException.With.Message.Contains("targets[0] ('targets') is 8"));
    }

    [Test]
    public void A_key_beyond_the_cache_is_named()
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var (q, k, y, logSum) = (
            t.Input("q", new(1, 8)), t.Input("k", new(4, 8)), t.Output("y", new(1, 8)), t.Output("l", new(1, 1)));
        Assert.That(
            () => opened.Attention.Forward(new(q, k, k, t.Ints("first", 0), t.Ints("last", 4), 8, 1), y, logSum),
            Throws.ArgumentException.With.Message.Contains("lastKey[0] ('last') is 4, expected 0 … 3"));
    }

    [Test]
    public void A_row_to_gather_that_is_not_there_is_named()
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        Assert.That(
            () => opened.Elementwise.GatherRows(t.Input("x", new(2, 3)), t.Ints("row", 2), t.Output("y", new(1, 3))),
            Throws.ArgumentException.With.Message.Contains("row[0] ('row') is 2, expected 0 … 1"));
    }
}
