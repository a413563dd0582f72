using System.Numerics;
using MathNet.Numerics.Distributions;

namespace SafeLlama.Evaluation.Tests;

[TestFixture]
public sealed class HypothesisTests
{
    [Test]
    public void McNemar_agrees_with_a_published_example() =>
        // Fagerland, Lydersen and Laake 2013: airway hyper-responsiveness before and after transplantation, 1 and 7.
        Assert.That(McNemar.Exact(1, 7), Is.EqualTo(0.0703).Within(5e-5));

    [TestCase(0, 0)]
    [TestCase(5, 5)]
    [TestCase(12, 30)]
    [TestCase(200, 151)]
    public void McNemar_agrees_with_whole_number_arithmetic(int first, int second)
    {
        var n = first + second;
        BigInteger tail = 0, choose = 1;
        for (var k = 0; k <= Math.Min(first, second); k++)
        {
            tail += choose;
            choose = choose * (n - k) / (k + 1);
        }

        var expected = Math.Min(1, Math.Exp(BigInteger.Log(2 * tail) - n * Math.Log(2)));
        Assert.That(McNemar.Exact(first, second), Is.EqualTo(expected).Within(1e-10 * Math.Max(expected, 1e-3)));
    }

    [Test]
    public void Permutation_agrees_with_Fisher_on_Darwins_maize() =>
        // Fisher 1935, section 21: 1,726 of the 32,768 arrangements are as extreme.
        Assert.That(
            PairedPermutation.Test([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]),
            Is.EqualTo(1726 / 32768.0).Within(1e-12));

    [Test]
    public void Drawn_permutations_agree_with_the_exact_binomial()
    {
        // With differences of ± 1 the test is the sign test, whose p is McNemar's.
        var differences = Enumerable.Repeat(1.0, 25).Concat(Enumerable.Repeat(-1.0, 12)).ToArray();
        Assert.That(
            PairedPermutation.Test(differences, seed: 5),
            Is.EqualTo(McNemar.Exact(25, 12)).Within(0.008), "four standard errors of 10,000 draws");
    }

    [Test]
    public void Holm_agrees_with_a_worked_example() =>
        Assert.That(
            Holm.Adjust([0.01, 0.04, 0.03, 0.005, double.NaN]),
            Is.EqualTo(new[] { 0.03, 0.06, 0.06, 0.02, double.NaN }).Within(1e-12));

    [Test]
    public void Page_moments_agree_with_every_arrangement()
    {
        // Two blocks of four doses: all 24 · 24 arrangements give the exact mean and variance of L.
        var orders = Permutations([1.0, 2, 3, 4]).ToArray();
        var all = orders.SelectMany(a => orders.Select(b => TrendTest.Page([a, b]))).ToArray();
        var mean = all.Average(r => r.Statistic);
        var deviation = Math.Sqrt(all.Average(r => (r.Statistic - mean) * (r.Statistic - mean)));
        foreach (var result in all)
        {
            Assert.That(result.Z, Is.EqualTo((result.Statistic - mean) / deviation).Within(1e-9));
        }
    }

    [Test]
    public void Equivalence_agrees_with_t_computed_by_hand()
    {
        // Ten differences with mean 0.01 and standard error s/√10; t against the margin 0.05.
        double[] d = [0.03, -0.01, 0.02, 0.00, 0.01, 0.04, -0.02, 0.01, 0.02, 0.00];
        var mean = d.Average();
        var error = Math.Sqrt(d.Sum(x => (x - mean) * (x - mean)) / 9) / Math.Sqrt(10);
        var result = Equivalence.Paired(d, 0.05);
        Assert.That(result.PUpper, Is.EqualTo(StudentT.CDF(0, 1, 9, (mean - 0.05) / error)).Within(1e-12));
        Assert.That(result.Difference.High - mean, Is.EqualTo(1.833112933 * error).Within(1e-8));
        Assert.That(result.Equivalent);
        Assert.That(Equivalence.Paired(d, 0.01).Equivalent, Is.False);
    }

    [Test]
    public void Equivalence_of_equal_runs_needs_enough_items()
    {
        // Two points of loss on 4 items would go unseen with probability 0.98⁴; on 149, with 0.98¹⁴⁹ < 0.05.
        var few = Equivalence.Paired([0, 0, 0, 0]);
        Assert.That(few.PLower, Is.EqualTo(Math.Pow(0.98, 4)).Within(1e-12));
        Assert.That((few.Equivalent, few.NotInferior), Is.EqualTo((false, false)));
        Assert.That(few.Difference.Width, Is.GreaterThan(0));
        Assert.That(Equivalence.Paired(new double[148]).Equivalent, Is.False);
        Assert.That(Equivalence.Paired(new double[149]).Equivalent);
    }

    [Test]
    public void Kappa_agrees_with_worked_examples()
    {
        Assert.That(Kappa.Of([20, 5, 10, 15], 2), Is.EqualTo(0.4).Within(1e-12));
        // Cohen 1960, table 1 as proportions of 200: κ = 0.492.
        Assert.That(Kappa.Of([88, 14, 18, 10, 40, 10, 2, 6, 12], 3), Is.EqualTo(0.492).Within(5e-4));
    }

    [Test]
    public void Kappa_interval_agrees_with_the_large_sample_variance()
    {
        // Fleiss, Cohen and Everitt 1969 for the table 20, 5, 10, 15.
        var first = Labels(25, 25);
        var second = Labels(20, 5).Concat(Labels(10, 15)).ToArray();
        double[] row = [0.5, 0.5], column = [0.6, 0.4];
        double[,] p = { { 0.4, 0.1 }, { 0.2, 0.3 } };
        const double Agreed = 0.7, Chance = 0.5, K = 0.4;
        double a = 0, b = 0;
        for (var i = 0; i < 2; i++)
        {
            a += p[i, i] * Math.Pow(1 - (row[i] + column[i]) * (1 - K), 2);
            for (var j = 0; j < 2; j++)
            {
                b += i == j ? 0 : p[i, j] * Math.Pow(column[i] + row[j], 2);
            }
        }

        var variance = (a + (1 - K) * (1 - K) * b - Math.Pow(K - Chance * (1 - K), 2)) / (50 * Math.Pow(1 - Chance, 2));
        var interval = Kappa.Of(first, second);
        Assert.That(interval.Value, Is.EqualTo(K).Within(1e-12));
        Assert.That(Agreed, Is.EqualTo(p[0, 0] + p[1, 1]).Within(1e-12));
        Assert.That(interval.Width, Is.EqualTo(2 * 1.96 * Math.Sqrt(variance)).Within(0.05), "n = 50 is not large");
    }

    private static string[] Labels(int yes, int no) =>
        [.. Enumerable.Repeat("yes", yes), .. Enumerable.Repeat("no", no)];

    private static IEnumerable<double[]> Permutations(double[] values) => values.Length == 1
        ? [values]
        : values.SelectMany((x, i) => Permutations([.. values[..i], .. values[(i + 1)..]]).Select(rest =>
            (double[])[x, .. rest]));
}
