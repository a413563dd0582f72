using System.Runtime.Intrinsics;

namespace SafeLlama.Kernels.Tests;

/// <summary>The vectors that a backend is given decide every op, products included.</summary>
internal sealed class LanesTests
{
    /// <summary>
    /// A dot product adds up as many partial sums as a vector has lanes, so another width leaves another rounding.
    /// </summary>
    [Test]
    public void Dot_products_of_another_width_have_other_bytes() =>
        Assert.That(Sums(4), Is.Not.EqualTo(Sums(8)).And.EqualTo(Sums(4)));

    /// <summary>Four lanes, by hand: lane l sums every fourth product, then the lanes are added in pairs.</summary>
    [Test]
    public void A_dot_product_of_128_bits_has_four_partial_sums()
    {
        using var backend = new CpuBackend(1, lanes: 4);
        using var t = new TestTensors(backend);
        var (x, weight, y) = (t.Input("x", new(1, 40)), t.Input("weight", new(64, 40)), t.Output("y", new(1, 64)));
        backend.Linear.Forward(x, weight, y);
        var (xs, ws) = (x.ReadFloats(), weight.ReadFloats());
        var expected = Enumerable.Range(0, 64).Select(o =>
        {
            var lanes = new float[4];
            for (var k = 0; k < 40; k++)
            {
                lanes[k % 4] = float.MultiplyAddEstimate(xs[k], ws[(o * 40) + k], lanes[k % 4]);
            }

            return Vector128.Sum(Vector128.Create(lanes));
        });
        Assert.That(y.ReadFloats(), Is.EqualTo(expected));
    }

    [Test]
    public void Scratch_is_planned_for_the_vectors_that_compute()
    {
        var work = new WorkSize(500, 500, 256, 4, 2, 64, 8, Drops: true);
        using var narrow = new CpuBackend(1, lanes: 4);
        using var wide = new CpuBackend(1, lanes: 8);
        Assert.That(narrow.ScratchBytes(work), Is.LessThan(wide.ScratchBytes(work)));
    }

    private static float[] Sums(int lanes)
    {
        using var backend = new CpuBackend(1, lanes);
        using var t = new TestTensors(backend);
        var (x, weight) = (t.Input("x", new(3, 1024)), t.Input("weight", new(64, 1024)));
        var y = t.Output("y", new(3, 64));
        backend.Linear.Forward(x, weight, y);
        return y.ReadFloats();
    }
}
