using SafeLlama.Testing;

namespace SafeLlama.Kernels.Tests;

/// <summary>The code on docs/04-attention.md.</summary>
internal sealed class AttentionPageTests
{
    [Test]
    public void Two_keys_by_hand()
    {
        using var backend = new CpuBackend(1);
        using var t = new TestTensors(backend);

        // docs:04-attention:by-hand
        var q = t.Input("q", new(1, 1), [1]);
        var k = t.Input("k", new(2, 1), [0, Math.Log(3)]);          // scores 0 and ln 3: weights ¼ and ¾
        var v = t.Input("v", new(2, 1), [100, 200]);
        var (y, logSum) = (t.Output("y", new(1, 1)), t.Output("logSum", new(1, 1)));
        var (firstKey, lastKey) = (t.Ints("firstKey", 0), t.Ints("lastKey", 1));
        backend.Attention.Forward(new(q, k, v, firstKey, lastKey, HeadDim: 1, Scale: 1), y, logSum);
        Assert.That(y.ReadDoubles()[0], Is.EqualTo(175).Within(1e-4));
        Assert.That(logSum.ReadDoubles()[0], Is.EqualTo(Math.Log(4)).Within(1e-6));
        // end
    }

    [Test]
    public void A_softmax_in_one_pass()
    {
        double[] scores = [1, 5, 2, 900, 3];
        double[] values = [10, 20, 30, 40, 50];

        // docs:04-attention:one-pass
        var (max, sum, output) = (double.NegativeInfinity, 0.0, 0.0);
        for (var j = 0; j < scores.Length; j++)
        {
            var larger = Math.Max(max, scores[j]);
            var shrink = Math.Exp(max - larger);           // 1 where the maximum stands
            var p = Math.Exp(scores[j] - larger);
            (max, sum, output) = (larger, (shrink * sum) + p, (shrink * output) + (p * values[j]));
        }

        Assert.That(output / sum, Is.EqualTo(40).Within(1e-12));
        // end
    }

    [Test]
    public void Packed_examples_do_not_see_each_other()
    {
        using var backend = new CpuBackend(1);
        using var t = new TestTensors(backend);
        var (q, k, v) = (t.Input("q", new(5, 8)), t.Input("k", new(5, 8)), t.Input("v", new(5, 8)));

        double[] Attend(int row, int[] firstKey, int[] lastKey, int first, int count)
        {
            var (y, logSum) = (t.Output("y", new(count, 8)), t.Output("logSum", new(count, 1)));
            var input = new AttentionInput(
                q.Slice(first, count), k.Slice(first, count), v.Slice(first, count),
                t.Ints("firstKey", firstKey), t.Ints("lastKey", lastKey), 8, 1);
            backend.Attention.Forward(input, y, logSum);
            return y.Slice(row, 1).ReadDoubles();
        }

        // docs:04-attention:packing
        int[] firstKey = [0, 0, 2, 3, 3], lastKey = [0, 1, 2, 3, 4];   // rows 0–1, row 2 and rows 3–4: three examples
        var packed = Attend(row: 4, firstKey, lastKey, first: 0, count: 5);
        var alone = Attend(row: 1, [0, 0], [0, 1], first: 3, count: 2);
        Assert.That(packed, Is.EqualTo(alone).Within(1e-6));
        // end
    }

    [Category("Docs")]
    [Test]
    public void The_page_shows_this_code() => DocSnippets.Check("04-attention.md");
}
