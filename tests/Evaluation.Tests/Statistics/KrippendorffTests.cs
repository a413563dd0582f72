namespace SafeLlama.Evaluation.Tests;

[TestFixture]
public sealed class KrippendorffTests
{
    /// <summary>Krippendorff 2011, "Computing Krippendorff's alpha-reliability", C: four observers, twelve units,
    /// labels 1 to 5, 0 for none.</summary>
    private static readonly int[][] Published =
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ];

    private static IReadOnlyList<int>[] Items =>
        [.. Enumerable.Range(0, 12).Select(u => (int[])[.. Published.Select(o => o[u] - 1).Where(v => v >= 0)])];

    [TestCase(false, 0.743)]
    [TestCase(true, 0.815)]
    public void Alpha_agrees_with_the_published_example(bool ordinal, double alpha)
    {
        var interval = Krippendorff.Alpha(Items, 5, ordinal);
        Assert.That(interval.Value, Is.EqualTo(alpha).Within(5e-4), "published to three digits");
        Assert.That(interval.Low, Is.LessThan(alpha));
        Assert.That(interval.High, Is.GreaterThan(alpha));
    }

    [Test]
    public void Perfect_agreement_of_few_items_is_not_certain()
    {
        IReadOnlyList<int>[] items = [.. Enumerable.Range(0, 10).Select(i => (int[])[i % 2, i % 2, i % 2])];
        var interval = Krippendorff.Alpha(items, 2);
        Assert.That((interval.Value, interval.High), Is.EqualTo((1.0, 1.0)));
        Assert.That(interval.Low, Is.LessThan(0.6));
        Assert.That(interval.Method, Is.EqualTo(Krippendorff.Method));
    }

    [Test]
    public void One_label_for_all_says_nothing_of_agreement() =>
        Assert.That(Krippendorff.Alpha([[1, 1], [1, 1]], 2).IsNone);
}
