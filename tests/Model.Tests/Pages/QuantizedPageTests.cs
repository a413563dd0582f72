using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Pages;

/// <summary>The code on docs/12-quantized-bases.md.</summary>
public sealed class QuantizedPageTests
{
    [Test]
    public void A_block_by_hand()
    {
        // docs:12-quantized-bases:nf4
        var values = new float[64];
        (values[0], values[1], values[2]) = (0.5f, -2, 0.16f);               // the rest is zero
        var (packed, absmax) = (new byte[32], new float[1]);
        Nf4Quantizer.Quantize(values, packed, absmax);
        Assert.That(absmax[0], Is.EqualTo(2));
        Assert.That(packed[0], Is.EqualTo(0xA0));                            // 0.25 is nearest to value 10, −1 is value 0
        Assert.That(packed[1], Is.EqualTo(0x87));                            // 0.08 is value 8, and 7 is zero
        Assert.That(Nf4Format.Values[10] * absmax[0], Is.EqualTo(0.4922f).Within(1e-4));
        // end
    }

    [Test]
    public void A_row_by_hand()
    {
        // docs:12-quantized-bases:int8
        float[] row = [0.5f, -2, 0.16f, 1.4f];
        var codes = new sbyte[4];
        var most = Int8Quantizer.Absmax(row);
        Int8Quantizer.Quantize(row, most, codes);
        Assert.That(codes, Is.EqualTo(new sbyte[] { 32, -127, 10, 89 }));    // 0.5 · 127/2 = 31.75
        Assert.That(codes[0] * Int8Format.Scale(most), Is.EqualTo(0.5039f).Within(1e-4));
        // end
    }

    [Test]
    public void The_page_shows_this_code() => DocSnippets.Check("12-quantized-bases.md");
}
