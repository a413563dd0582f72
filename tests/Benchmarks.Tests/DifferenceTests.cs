namespace SafeLlama.Benchmarks.Tests;

/// <summary>What <c>diff</c> calls faster, slower and noise.</summary>
internal sealed class DifferenceTests
{
    private static readonly double[] Times = [1.00, 1.02, 0.99, 1.01, 1.03, 0.98, 1.00, 1.01, 0.99];

    [Test]
    public void Half_the_time_is_faster() => Assert.That(Of(0.5).Verdict, Is.EqualTo("faster"));

    [Test]
    public void Twice_the_time_is_slower() => Assert.That(Of(2).Verdict, Is.EqualTo("slower"));

    [Test]
    public void The_same_times_are_noise()
    {
        var difference = Of(1);
        Assert.That(difference.Verdict, Is.EqualTo("noise"));
        Assert.That(difference.Low, Is.LessThan(1));
        Assert.That(difference.High, Is.GreaterThan(1));
    }

    [Test]
    public void Few_values_have_no_verdict()
    {
        var difference = Difference.Of(new Sample(1, 1, 1, 1), new Sample(Times));
        Assert.That(difference.Verdict, Is.EqualTo("fewer than 5 values"));
    }

    [Test]
    public void An_even_number_of_values_has_the_mean_of_the_middle_two_as_its_median() =>
        Assert.That(new Sample(4, 1, 3, 10).Median, Is.EqualTo(3.5));

    [Test]
    public void The_interval_covers_the_true_ratio_about_as_often_as_it_says()
    {
        var random = new Random(1);
        double Draw() => 1 + (0.05 * (random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5));
        var covered = Enumerable.Range(0, 200).Count(_ =>
        {
            var difference = Difference.Of(
                new Sample(Enumerable.Range(0, 25).Select(_ => Draw())),
                new Sample(Enumerable.Range(0, 25).Select(_ => 1.1 * Draw())));
            return difference.Low <= 1.1 && 1.1 <= difference.High;
        });

        // 95% of 200 is 190; a bootstrap of medians of 25 values covers a little more or less.
        Assert.That(covered, Is.InRange(176, 200));
    }

    private static Difference Of(double factor) =>
        Difference.Of(new Sample(Times), new Sample(Times.Select(t => t * factor)));
}
