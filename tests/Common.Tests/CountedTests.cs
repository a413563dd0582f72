namespace SafeLlama.Common.Tests;

public sealed class CountedTests
{
    [TestCase(0, "0 rows")]
    [TestCase(1, "1 row")]
    [TestCase(2, "2 rows")]
    public void A_number_agrees_with_its_noun(long count, string expected) =>
        Assert.That(Counted.Of(count, "row"), Is.EqualTo(expected));
}
