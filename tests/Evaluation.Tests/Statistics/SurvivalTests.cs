namespace SafeLlama.Evaluation.Tests;

[TestFixture]
public sealed class SurvivalTests
{
    // Freireich et al. 1963: weeks of remission with 6-mercaptopurine (censored ones negative) and with placebo.
    private static readonly Survival.Observation[] Treated = Weeks(
        6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22, 23, -25, -32, -32, -34, -35);

    private static readonly Survival.Observation[] Placebo = Weeks(
        1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23);

    [Test]
    public void Survival_agrees_with_the_published_curve() =>
        Assert.That(
            Survival.KaplanMeier(Treated).Select(s => s.Share),
            Is.EqualTo(new[] { 0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448 }).Within(5.1e-4),
            "published to three digits");

    [Test]
    public void Log_rank_agrees_with_the_published_statistic() =>
        Assert.That(Survival.LogRank(Treated, Placebo).ChiSquare, Is.EqualTo(16.79).Within(5e-3));

    [Test]
    public void Equal_groups_survive_alike() =>
        Assert.That(Survival.LogRank(Placebo, Placebo).P, Is.EqualTo(1).Within(1e-9));

    private static Survival.Observation[] Weeks(params int[] weeks) =>
        [.. weeks.Select(w => new Survival.Observation(Math.Abs(w), w > 0))];
}
