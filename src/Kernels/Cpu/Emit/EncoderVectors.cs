using static SafeLlama.Kernels.AssemblyText;

namespace SafeLlama.Kernels;

/// <summary>The instructions on vectors and their masks.</summary>
internal sealed partial class Encoder
{
    public void ZeroUpper()
    {
        _listing?.Add("vzeroupper");
        Byte(0xC5);
        Byte(0xF8);
        Byte(0x77);
    }

    /// <summary>kmovw mask, [from].</summary>
    public void LoadMask(int mask, Operand from)
    {
        _listing?.Add($"kmovw k{mask},{Text(from)}");
        Vex(0x90, mask, from);
    }

    /// <summary>vmovups [to], xmm.</summary>
    public void StoreXmm(Operand to, int xmm)
    {
        _listing?.Add($"vmovups {Text(to)},xmm{xmm}");
        Vex(0x11, xmm, to);
    }

    /// <summary>vmovups xmm, [from].</summary>
    public void LoadXmm(int xmm, Operand from)
    {
        _listing?.Add($"vmovups xmm{xmm},{Text(from)}");
        Vex(0x10, xmm, from);
    }

    /// <summary>vpxord zmm, zmm, zmm.</summary>
    public void Zero(int zmm)
    {
        _listing?.Add($"vpxord zmm{zmm},zmm{zmm},zmm{zmm}");
        Evex(MapBasic, Prefix66, 0xEF, zmm, zmm, zmm);
    }

    /// <summary>vmovups zmm, [from].</summary>
    public void LoadVector(int zmm, Operand from)
    {
        _listing?.Add($"vmovups zmm{zmm},{Text(from)}");
        Evex(MapBasic, NoPrefix, 0x10, zmm, 0, from, VectorBytes);
    }

    /// <summary>vmovups [to] {mask}, zmm.</summary>
    public void StoreVector(Operand to, int zmm, int mask)
    {
        _listing?.Add($"vmovups {Text(to)}{Mask(mask)},zmm{zmm}");
        Evex(MapBasic, NoPrefix, 0x11, zmm, 0, to, VectorBytes, mask);
    }

    /// <summary>vpbroadcastd zmm, [from].</summary>
    public void BroadcastPair(int zmm, Operand from)
    {
        _listing?.Add($"vpbroadcastd zmm{zmm},{Text(from)}");
        Evex(Map38, Prefix66, 0x58, zmm, 0, from, 4);
    }

    /// <summary>vbroadcastss zmm, [from].</summary>
    public void BroadcastFloat(int zmm, Operand from)
    {
        _listing?.Add($"vbroadcastss zmm{zmm},{Text(from)}");
        Evex(Map38, Prefix66, 0x18, zmm, 0, from, 4);
    }

    /// <summary>vdpbf16ps sum, a, b: sum += a₁ b₁, then sum += a₀ b₀, for each pair of bf16.</summary>
    public void DotBFloat16(int sum, int a, int b)
    {
        _listing?.Add($"vdpbf16ps zmm{sum},zmm{a},zmm{b}");
        Evex(Map38, PrefixF3, 0x52, sum, a, b);
    }

    /// <summary>vfmadd231ps sum, a, b: sum += a b.</summary>
    public void MultiplyAdd(int sum, int a, int b)
    {
        _listing?.Add($"vfmadd231ps zmm{sum},zmm{a},zmm{b}");
        Evex(Map38, Prefix66, 0xB8, sum, a, b);
    }

    /// <summary>vfmadd213ps value {mask}, factor, [addend]: value = value · factor + addend.</summary>
    public void ScaleAndAdd(int value, int factor, Operand addend, int mask)
    {
        _listing?.Add($"vfmadd213ps zmm{value}{Mask(mask)},zmm{factor},{Text(addend)}");
        Evex(Map38, Prefix66, 0xA8, value, factor, addend, VectorBytes, mask);
    }

    /// <summary>vmulps zmm, a, b.</summary>
    public void Multiply(int zmm, int a, int b)
    {
        _listing?.Add($"vmulps zmm{zmm},zmm{a},zmm{b}");
        Evex(MapBasic, NoPrefix, 0x59, zmm, a, b);
    }

    /// <summary>vcvtne2ps2bf16 zmm, high, [low]: sixteen bf16 of low, then sixteen of high, to nearest even.</summary>
    public void RoundToBFloat16(int zmm, int high, Operand low)
    {
        _listing?.Add($"vcvtne2ps2bf16 zmm{zmm},zmm{high},{Text(low)}");
        Evex(Map38, PrefixF2, 0x72, zmm, high, low, VectorBytes);
    }

    /// <summary>vpandd zmm, a, b.</summary>
    public void And(int zmm, int a, int b)
    {
        _listing?.Add($"vpandd zmm{zmm},zmm{a},zmm{b}");
        Evex(MapBasic, Prefix66, 0xDB, zmm, a, b);
    }

    /// <summary>vpcmpnltuw mask, a, b: one bit for each word of a that is not less than b's.</summary>
    public void CompareWordsNotLess(int mask, int a, int b)
    {
        const int NotLess = 5;
        _listing?.Add($"vpcmpnltuw k{mask},zmm{a},zmm{b}");
        Evex(Map3A, Prefix66, 0x3E, mask, a, b, wide: true);
        Byte(NotLess);
    }

    /// <summary>vmovdqu16 zmm {mask}{z}, from: words whose bit is clear become zero.</summary>
    public void KeepWords(int zmm, int from, int mask)
    {
        _listing?.Add($"vmovdqu16 zmm{zmm}{Mask(mask)}{{z}},zmm{from}");
        Evex(MapBasic, PrefixF2, 0x6F, zmm, 0, from, wide: true, keeps: mask);
    }
}
