using SafeLlama.Common;

namespace SafeLlama.Training.Tests;

public sealed class LearningRateScheduleTests
{
    /// <summary>Ten steps, two of them warm-up, peak 1: the published rule of each schedule, worked out by
    /// hand.</summary>
    [TestCase(ScheduleShape.Constant, 0, 0.5, 1, 1, 1)]
    [TestCase(ScheduleShape.Linear, 0, 0.5, 1, 0.5, 0.125)]
    [TestCase(ScheduleShape.Cosine, 0, 0.5, 1, 0.5, 0.03806023374435663)]
    public void Rates_follow_the_rule(
        ScheduleShape shape, double first, double second, double third, double middle, double last)
    {
        var schedule = new LearningRateSchedule(shape, 1, 2, 10);
        Assert.That(new[] { 0, 1, 2, 6, 9 }.Select(schedule.At), Is.EqualTo([first, second, third, middle, last])
            .Within(1e-15));
    }

    [Test]
    public void A_run_that_ends_within_its_warm_up_is_refused()
    {
        var error = Assert.Throws<SafeLlamaException>(
            new LearningRateSchedule(ScheduleShape.Linear, 1, 10, 10).Validate)!;
        Assert.That(error.Message, Does.Contain("WarmupSteps 10").And.Contain("10 steps"));
    }

    [TestCase("200", 1000, 200)]
    [TestCase("5%", 1000, 50)]
    [TestCase("5%", 19, 0)]
    [TestCase("29%", 100, 29)]      // 0.29 · 100 is 28.999… in fp64
    [TestCase("100%", 19, 19)]
    public void An_amount_is_a_count_or_a_share(string text, int total, int expected)
    {
        Assert.That(Amount.TryParse(text)!.Value.Of(total), Is.EqualTo(expected));
        Assert.That(Amount.TryParse(text)!.Value.ToString(), Is.EqualTo(text));
    }

    [TestCase("5%", 216, 11)]
    [TestCase("5%", 1, 0)]          // the only step must learn
    [TestCase("3", 216, 3)]
    public void A_share_of_warm_up_is_rounded_up(string warmup, int steps, int expected)
    {
        var config = new TrainingConfig { WarmupSteps = Amount.TryParse(warmup)!.Value };
        Assert.That(config.ScheduleOver(steps).WarmupSteps, Is.EqualTo(expected));
    }

    [TestCase("-1")]
    [TestCase("1.5")]
    [TestCase("101%")]
    [TestCase("many")]
    [TestCase("NaN")]
    public void An_amount_that_is_neither_is_refused(string text) => Assert.That(Amount.TryParse(text), Is.Null);
}
