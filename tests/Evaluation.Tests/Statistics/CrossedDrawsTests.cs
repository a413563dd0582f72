namespace SafeLlama.Evaluation.Tests;

public sealed class CrossedDrawsTests
{
    /// <summary>Two models × two seeds; prompts 0 and 1 are one cluster.</summary>
    private static CrossedScores[] Cell(params double[][] values) =>
        [.. values.Select((v, i) => new CrossedScores(i < 2 ? "a" : $"c{i}", v, 2))];

    private static readonly CrossedScores[] First = Cell([1, 1, 0, 1], [1, 0, 1, 1], [0, 0, 1, 0], [1, 1, 1, 0]);

    private static readonly CrossedScores[] Second = Cell([0, 0, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0], [1, 0, 1, 0]);

    [Test]
    public void Means_are_those_of_all_scores()
    {
        var draws = new CrossedDraws([First, Second], ["m", "m"]);
        Assert.That(draws.Means, Is.EqualTo(new[] { 10 / 16.0, 4 / 16.0 }).Within(1e-12));
    }

    [Test]
    public void A_difference_agrees_with_the_crossed_bootstrap()
    {
        // Other streams draw the resamples, so limits agree within the noise of 2,000 draws.
        var estimate = new CrossedDraws([First, Second], ["m", "m"]).Of(m => m[0] - m[1]);
        var known = CrossedBootstrap.Difference(First, Second, paired: true);
        Assert.That(estimate.Value, Is.EqualTo(known.Value).Within(1e-12));
        Assert.That(estimate.Low, Is.EqualTo(known.Low).Within(0.06));
        Assert.That(estimate.High, Is.EqualTo(known.High).Within(0.06));
    }

    [Test]
    public void Cells_of_one_stratum_are_redrawn_together()
    {
        var draws = new CrossedDraws([First, First, First], ["m", "m", "other"]);
        var same = draws.Of(m => m[0] - m[1]);
        Assert.That((same.Value, same.Low, same.High), Is.EqualTo((0.0, double.NaN, double.NaN)), "no draw varies");
        var within = draws.Of(m => m[0] - m[1], Bounds.Difference);
        Assert.That(within.High, Is.EqualTo(Wilson.Rate(0, 3).High).Within(1e-12), "three clusters could miss as much");
        Assert.That(within.Low, Is.EqualTo(-within.High).Within(1e-12));
        Assert.That(draws.Of(m => m[0] - m[2]).High, Is.GreaterThan(0.1), "another stratum has prompts of its own");
    }

    [Test]
    public void The_same_seed_gives_the_same_draws() => Assert.That(
        new CrossedDraws([First], ["m"], seed: 7).Of(m => m[0]).Draws,
        Is.EqualTo(new CrossedDraws([First], ["m"], seed: 7).Of(m => m[0]).Draws));

    [Test]
    public void Cells_of_other_replicates_are_refused() => Assert.That(
        () => new CrossedDraws([First, [new("a", [1.0], 1)]], ["m", "m"]),
        Throws.ArgumentException.With.Message.Contains("same models and seeds"));

    [Test]
    public void Infinite_draws_stay_infinite_and_undefined_ones_are_counted()
    {
        var estimate = Estimate.Of(
            40, [.. Enumerable.Repeat(double.PositiveInfinity, 10), .. Enumerable.Range(0, 85).Select(i => (double)i),
                .. Enumerable.Repeat(double.NaN, 5)]);
        Assert.That((estimate.Low, estimate.High), Is.EqualTo((2.0, double.PositiveInfinity)));
        Assert.That(estimate.Undefined, Is.EqualTo(5));
        Assert.That(estimate.P(d => d < 85), Is.EqualTo(11 / 96.0));
        Assert.That(Estimate.Of(double.NaN, [1.0, 2.0]).Value, Is.NaN);
    }
}
