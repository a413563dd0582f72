namespace SafeLlama.Inference.Tests;

public sealed class LogitsMathTests
{
    /// <summary>Lengths that fill vectors, and that leave one to three values over.</summary>
    [Test]
    public void A_row_of_any_length_is_summed_as_in_a_plain_loop([Values(1, 3, 4, 7, 4096, 32001)] int count)
    {
        double[] row = [.. Enumerable.Range(0, count).Select(i => (20 * Math.Sin(i)) - (i % 5 == 4 ? 900 : 0))];
        var max = row.Max();
        Assert.That(LogitsMath.Largest(row), Is.EqualTo(max));

        // Two ways to compute exp differ by a place or two of 2⁻⁵³, and 32 001 terms in another order by a hundred.
        Assert.That(LogitsMath.SumOfExp(row, max), Is.EqualTo(row.Sum(x => Math.Exp(x - max))).Within(1e-11).Percent);
    }

    [Test]
    public void Tokens_that_are_ruled_out_weigh_nothing()
    {
        double[] row =
            [double.NegativeInfinity, 2, double.NegativeInfinity, double.NegativeInfinity, double.NegativeInfinity, 2];
        Assert.That(LogitsMath.Largest(row), Is.EqualTo(2));
        Assert.That(LogitsMath.SumOfExp(row, 2), Is.EqualTo(2));
    }

    [Test]
    public void What_is_no_number_is_not_lost([Values(0, 5, 8)] int place)
    {
        var row = new double[9];
        row[place] = double.NaN;
        Assert.That(LogitsMath.Largest(row), Is.NaN);
        Assert.That(LogitsMath.SumOfExp(row, 0), Is.NaN);
    }
}
