using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Pages;

/// <summary>The code on docs/10-encoder-judges.md.</summary>
public sealed class EncoderPageTests
{
    [Test]
    public void Far_distances_share_rows()
    {
        var folder = Path.Combine(TestFiles.ShippedReference, "models", "F-deberta");

        // docs:10-encoder-judges:buckets
        var config = EncoderConfig.Load(folder);                    // B = 8 rows each way, up to distance 64
        int[] rows = RelativePositions.Rows(config, reach: 24);
        int RowOf(int distance) => rows[24 - 1 + distance];
        Assert.That(RowOf(0), Is.EqualTo(8));                       // the table's middle
        Assert.That(RowOf(4), Is.EqualTo(12));                      // exact up to B / 2
        Assert.That(RowOf(10), Is.EqualTo(RowOf(5)));               // then one row for several
        Assert.That(RowOf(11), Is.EqualTo(RowOf(10) + 1));
        Assert.That(RowOf(-11), Is.EqualTo(16 - RowOf(11)));        // the same on the other side
        // end
    }

    [Test]
    public void The_page_shows_this_code() => DocSnippets.Check("10-encoder-judges.md");
}
