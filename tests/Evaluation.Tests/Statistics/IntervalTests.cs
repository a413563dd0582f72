using MathNet.Numerics.Distributions;

namespace SafeLlama.Evaluation.Tests;

[TestFixture]
public sealed class IntervalTests
{
    // Efron and Tibshirani 1993, table 14.1, spatial test data A: 26 values.
    private static readonly double[] Spatial =
        [48, 36, 20, 29, 42, 42, 20, 42, 22, 41, 45, 14, 6, 0, 33, 28, 34, 4, 32, 24, 47, 41, 24, 26, 30, 41];

    private static double Variance(ReadOnlySpan<int> rows)
    {
        double sum = 0, squares = 0;
        foreach (var row in rows)
        {
            sum += Spatial[row];
            squares += Spatial[row] * Spatial[row];
        }

        return squares / rows.Length - sum / rows.Length * (sum / rows.Length);
    }

    [TestCase(0.5, 0)]
    [TestCase(0.975, 1.959963984540054)]
    [TestCase(0.001, -3.090232306167814)]
    [TestCase(1e-9, -5.997807014993875)]
    public void Normal_quantile_agrees_with_tables(double p, double z)
    {
        Assert.That(Normal.InvCDF(0, 1, p), Is.EqualTo(z).Within(1e-9));
        Assert.That(Normal.CDF(0, 1, z), Is.EqualTo(p).Within(1e-12 + p * 1e-7));
    }

    [TestCase(2.228138852, 10, 0.975)]
    [TestCase(1.833112933, 9, 0.95)]
    [TestCase(6.313751515, 1, 0.95)]
    public void Student_t_agrees_with_tables(double t, int degrees, double p)
    {
        Assert.That(StudentT.CDF(0, 1, degrees, t), Is.EqualTo(p).Within(1e-8));
        Assert.That(StudentT.InvCDF(0, 1, degrees, p), Is.EqualTo(t).Within(1e-6));
    }

    // Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
    [TestCase(81, 263, 0.2553, 0.3662)]
    [TestCase(15, 148, 0.0624, 0.1605)]
    [TestCase(0, 20, 0.0000, 0.1611)]
    [TestCase(1, 29, 0.0061, 0.1718)]
    // The note on power: at n = 50, 5/50 means 4.3 to 21.4%.
    [TestCase(5, 50, 0.0435, 0.2136)]
    public void Wilson_agrees_with_published_intervals(int count, int n, double low, double high)
    {
        var interval = Wilson.Rate(count, n);
        Assert.That(interval.Low, Is.EqualTo(low).Within(5.1e-5), "published to four digits");
        Assert.That(interval.High, Is.EqualTo(high).Within(5.1e-5));
    }

    [Test]
    public void No_observations_give_no_estimate() => Assert.That(Wilson.Rate(0, 0).IsNone);

    [Test]
    public void Acceleration_agrees_with_the_spatial_test_example() =>
        Assert.That(Bootstrap.Acceleration(26, Variance), Is.EqualTo(0.061).Within(5e-4), "published to three digits");

    [Test]
    public void Bias_corrected_interval_agrees_with_the_spatial_test_example()
    {
        var interval = Bootstrap.BiasCorrected(26, Variance, seed: 1, confidence: 0.90);
        Assert.That(interval.Value, Is.EqualTo(171.5).Within(0.05));
        Assert.That(interval.Low, Is.EqualTo(115.8).Within(4), "published from 2,000 other draws");
        Assert.That(interval.High, Is.EqualTo(259.6).Within(7), "published from 2,000 other draws");
    }

    [Test]
    public void Percentile_interval_agrees_with_the_spatial_test_example()
    {
        var interval = Bootstrap.Percentile(26, Variance, seed: 1, confidence: 0.90);
        Assert.That(interval.Low, Is.EqualTo(100.8).Within(3), "published from 2,000 other draws");
        Assert.That(interval.High, Is.EqualTo(233.9).Within(4), "published from 2,000 other draws");
    }

    [Test]
    public void The_same_seed_gives_the_same_interval()
    {
        Assert.That(Bootstrap.Mean(Spatial, 7), Is.EqualTo(Bootstrap.Mean(Spatial, 7)));
        Assert.That(Bootstrap.Mean(Spatial, 8), Is.Not.EqualTo(Bootstrap.Mean(Spatial, 7)));
    }

    [Test]
    public void Clusters_of_copies_are_as_wide_as_their_originals()
    {
        // Every value four times over is no more knowledge than every value once.
        var copied = Spatial.SelectMany(x => Enumerable.Repeat(x, 4)).ToArray();
        var names = Enumerable.Range(0, copied.Length).Select(i => (i / 4).ToString()).ToArray();
        var once = Bootstrap.Mean(Spatial, 3);
        var clustered = ClusterBootstrap.Mean(copied, names, 3);
        Assert.That(clustered.Width, Is.EqualTo(once.Width).Within(1e-9));
        Assert.That(Bootstrap.Mean(copied, 3).Width, Is.LessThan(0.6 * once.Width));
    }

    [Test]
    public void Corrected_rate_agrees_with_the_formula_and_is_clipped()
    {
        // 10% seen with Se 0.9 and Sp 0.95: (0.1 + 0.95 − 1)/(0.9 + 0.95 − 1) = 0.05/0.85.
        Assert.That(
            RoganGladen.Correct(10, 100, 0.9, 50, 0.95, 50)!.Value.Value, Is.EqualTo(0.05 / 0.85).Within(1e-12));
        Assert.That(RoganGladen.Correct(1, 100, 0.9, 50, 0.95, 50)!.Value.Value, Is.Zero);
        Assert.That(RoganGladen.Correct(10, 100, 0.5, 50, 0.5, 50), Is.Null, "a coin toss corrects nothing");
    }
}
