using SafeLlama.Common;

namespace SafeLlama.Model.Tests;

public sealed class LowRankProductTests
{
    /// <summary>B = U diag, A = V with orthonormal U and V: the singular values are the diagonal.</summary>
    [Test]
    public void Known_singular_values_are_found()
    {
        double[] a = [0, 1, 0, 0, 0, 0, 1, 0]; // [2, 4] orthonormal rows
        double[] b = [3, 0, 0, 0.5, 0, 0]; // [3, 2] orthogonal columns of length 3 and 0.5
        Assert.That(LowRankProduct.SingularValues(a, b, 2), Is.EqualTo([3.0, 0.5]).Within(1e-12));
    }

    [Test]
    public void Squares_add_up_to_the_squared_norm_of_the_product([Values(1, 4, 8)] int rank)
    {
        var stream = Philox.Stream(1, "test");
        double[] a = [.. Enumerable.Range(0, rank * 20).Select(i => stream.Normal(i))];
        double[] b = [.. Enumerable.Range(0, 30 * rank).Select(i => stream.Normal(1000 + i))];
        var norm = 0.0;
        for (var i = 0; i < 30; i++)
        {
            for (var j = 0; j < 20; j++)
            {
                norm += Math.Pow(Enumerable.Range(0, rank).Sum(k => b[i * rank + k] * a[k * 20 + j]), 2);
            }
        }

        var values = LowRankProduct.SingularValues(a, b, rank);
        Assert.That(values.Sum(v => v * v), Is.EqualTo(norm).Within(1e-9 * norm));
        Assert.That(values, Is.Ordered.Descending);
    }

    /// <summary>Eckart and Young: what is left out has the norm of the smaller singular values, and no more.</summary>
    [Test]
    public void The_nearest_product_keeps_the_largest_singular_values([Values(0, 1, 3, 5)] int kept, [Values(4, 30)] int rows)
    {
        const int rank = 5;
        var stream = Philox.Stream(2, "test");
        double[] a = [.. Enumerable.Range(0, rank * 20).Select(i => stream.Normal(i))];
        double[] b = [.. Enumerable.Range(0, rows * rank).Select(i => stream.Normal(1000 + i))];
        var all = LowRankProduct.SingularValues(a, b, rank);
        var nearest = LowRankProduct.Nearest(a, b, rank, kept);
        var left = LowRankProduct.SingularValues(a, nearest, rank);
        double[] apart = [.. b.Zip(nearest, (x, y) => x - y)];
        Assert.Multiple(() =>
        {
            Assert.That(left, Is.EqualTo(all.Select((v, i) => i < kept ? v : 0)).Within(1e-9));
            Assert.That(
                LowRankProduct.SingularValues(a, apart, rank).Sum(v => v * v),
                Is.EqualTo(all.Skip(kept).Sum(v => v * v)).Within(1e-9));
        });
    }

    [Test]
    public void An_adapter_that_learned_nothing_has_none() =>
        Assert.That(LowRankProduct.SingularValues([1, 0, 0, 1], new double[6], 2), Is.EqualTo([0.0, 0.0]));
}
