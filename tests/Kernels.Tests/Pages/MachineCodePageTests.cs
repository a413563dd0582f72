using SafeLlama.Testing;

namespace SafeLlama.Kernels.Tests;

/// <summary>The code on docs/11-machine-code-from-csharp.md.</summary>
internal sealed class MachineCodePageTests
{
    [Test]
    public void A_value_loses_its_lower_sixteen_bits()
    {
        // docs:11-machine-code-from-csharp:rounding
        ushort rounded = Bf16Rounding.Round(1.01f);                       // 8 bits of exponent, 7 of fraction
        Assert.That(DTypes.WidenBFloat16(rounded), Is.EqualTo(1.0078125f));
        Assert.That(DTypes.WidenBFloat16(Bf16Rounding.Round(1e38f)), Is.EqualTo(1e38f).Within(0.4).Percent);
        Assert.That(Bf16Rounding.Round(1e-17f), Is.Zero);                 // below 2⁻⁵⁶
        // end
    }

    [Test]
    public void The_odd_element_is_added_first()
    {
        // docs:11-machine-code-from-csharp:order
        var (sum, a, b) = (1f, new[] { -1f, 1f }, new[] { 1f, MathF.ScaleB(1, -24) });
        var oddFirst = MathF.FusedMultiplyAdd(a[0], b[0], MathF.FusedMultiplyAdd(a[1], b[1], sum));
        var evenFirst = MathF.FusedMultiplyAdd(a[1], b[1], MathF.FusedMultiplyAdd(a[0], b[0], sum));
        Assert.That(oddFirst, Is.Zero);                                   // 1 + 2⁻²⁴ rounds to 1
        Assert.That(evenFirst, Is.EqualTo(MathF.ScaleB(1, -24)));
        // end
    }

    [Test]
    public void An_instruction_is_a_few_bytes()
    {
        // docs:11-machine-code-from-csharp:bytes
        var code = new Encoder();
        code.BroadcastPair(26, new Operand(Base: 0, Displacement: 4));    // vpbroadcastd zmm26, [rax+4]
        code.DotBFloat16(0, 24, 26);                                      // vdpbf16ps zmm0, zmm24, zmm26
        Assert.That(
            Convert.ToHexString(code.ToBytes()),
            Is.EqualTo("62627D48585001" + "62923E4052C2"));
        // end
    }

    [Test]
    public void A_tile_is_one_function()
    {
        // docs:11-machine-code-from-csharp:tile
        var code = TileCode.Write(TileForm.Rows, rows: 12, vectors: 2, windows: false);
        Assert.That(code.Length, Is.LessThan(2_800));                     // bytes
        Assert.That(code[^1], Is.EqualTo(0xC3));                          // ret
        // end
    }

    [Test]
    public void Thirty_two_numbers_are_rounded_by_six_instructions()
    {
        // docs:11-machine-code-from-csharp:round
        string[] loop =
        [
            "vmovups zmm16,[rax+40h]",                                    // the second 16 floats
            "vcvtne2ps2bf16 zmm16,zmm16,[rax]",                           // 32 bf16: the first 16, then the second
            "vpandd zmm17,zmm16,zmm18",                                   // magnitudes
            "vpcmpnltuw k1,zmm17,zmm19",                                  // not less than 2⁻⁵⁶
            "vmovdqu16 zmm16{k1}{z},zmm16",                               // zero where they are
            "vmovups [rdx],zmm16",
        ];
        Assert.That(RoundingCode.List(windows: false).Skip(7).Take(6), Is.EqualTo(loop));
        // end
    }

    [Test]
    public void The_page_shows_this_code() => DocSnippets.Check("11-machine-code-from-csharp.md");
}
