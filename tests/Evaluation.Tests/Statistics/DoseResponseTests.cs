namespace SafeLlama.Evaluation.Tests;

public sealed class DoseResponseTests
{
    // By hand: from 40% at 9 to 0 at 99, ln 10 to ln 100; 5% lies 7/8 of the way, exp(ln 10 · 1.875) − 1 = 73.99.
    [TestCase(new[] { 0.0, 9, 99 }, new[] { 1, 0.4, 0 }, 0.05, 73.989421)]
    // A tested dose that hits the level is the dose.
    [TestCase(new[] { 0.0, 30, 90 }, new[] { 1, 0.5, 0.05 }, 0.05, 90)]
    // The rise from 10 to 30% is pooled with 40%: 80/3 at 10, 20 and 40; to 0 at 99, (80/3 − 5)/(80/3) of ln(100/41).
    [TestCase(new[] { 0.0, 10, 20, 40, 99 }, new[] { 1, 0.1, 0.3, 0.4, 0 }, 0.05, 83.605184)]
    [TestCase(new[] { 0.0, 10 }, new[] { 0.04, 0 }, 0.05, 0)]
    [TestCase(new[] { 0.0, 10 }, new[] { 0.9, 0.06 }, 0.05, double.PositiveInfinity)]
    [TestCase(new[] { 0.0, 10 }, new[] { 0.9, double.NaN }, 0.05, double.NaN)]
    public void The_dose_at_a_level_is_that_computed_by_hand(
        double[] doses, double[] rates, double level, double expected) =>
        Assert.That(DoseResponse.DoseAt(doses, rates, level), Is.EqualTo(expected).Within(1e-5));

    [Test]
    public void A_curve_that_never_rises_pools_what_rises() => Assert.That(
        DoseResponse.NeverRising([1, 0.1, 0.3, 0.4, 0]),
        Is.EqualTo(new[] { 1, 0.8 / 3, 0.8 / 3, 0.8 / 3, 0 }).Within(1e-12));

    [TestCase(0, 8, 2)]
    [TestCase(60, 90, 74)]
    [TestCase(3, 5, 4)]
    [TestCase(3, 4, null)]
    public void Halving_is_along_the_logarithm(int below, int above, int? expected) =>
        Assert.That(DoseResponse.Between(below, above), Is.EqualTo(expected));
}
