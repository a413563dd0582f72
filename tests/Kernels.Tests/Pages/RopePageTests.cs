using SafeLlama.Testing;

namespace SafeLlama.Kernels.Tests;

/// <summary>The code on docs/03-rope.md.</summary>
internal sealed class RopePageTests
{
    [Test]
    public void A_quarter_turn()
    {
        using var backend = new CpuBackend(1);
        using var t = new TestTensors(backend);

        // docs:03-rope:quarter-turn
        var x = t.Input("x", new(1, 2), [5, 1]);                          // one pair, at position 1
        var (cos, sin) = (t.Input("cos", new(2, 1), [1, 0]), t.Input("sin", new(2, 1), [0, 1]));   // 0° and 90°
        backend.Rope.Forward(x, t.Ints("positions", 1), cos, sin);
        Assert.That(x.ReadDoubles(), Is.EqualTo(new double[] { -1, 5 }));
        backend.Rope.Backward(x, t.Ints("positions", 1), cos, sin);
        Assert.That(x.ReadDoubles(), Is.EqualTo(new double[] { 5, 1 }));
        // end
    }

    [Test]
    public void Only_the_distance_counts()
    {
        using var backend = new CpuBackend(1);
        using var t = new TestTensors(backend);

        // docs:03-rope:distance
        Assert.That(Score(queryAt: 9, keyAt: 4), Is.EqualTo(Score(queryAt: 105, keyAt: 100)).Within(1e-4));
        Assert.That(Score(queryAt: 9, keyAt: 4), Is.Not.EqualTo(Score(queryAt: 9, keyAt: 5)).Within(1e-2));
        // end

        double Score(int queryAt, int keyAt)
        {
            var (query, key) = (Turned("query", queryAt), Turned("key", keyAt));
            return query.Zip(key, (q, k) => q * k).Sum();
        }

        double[] Turned(string name, int position)
        {
            // docs:03-rope:table
            const int HeadDim = 16;
            const int Half = HeadDim / 2;
            var angles = Enumerable.Range(0, Half).Select(i => position * Math.Pow(10000, -2.0 * i / HeadDim));
            var cos = t.Input("cos", new(1, Half), [.. angles.Select(Math.Cos)]);
            var sin = t.Input("sin", new(1, Half), [.. angles.Select(Math.Sin)]);
            // end
            var x = t.Input(name, new(1, HeadDim));
            backend.Rope.Forward(x, t.Ints("positions", 0), cos, sin);
            return x.ReadDoubles();
        }
    }

    [Category("Docs")]
    [Test]
    public void The_page_shows_this_code() => DocSnippets.Check("03-rope.md");
}
