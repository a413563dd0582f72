using System.Runtime.InteropServices;

namespace SafeLlama.Kernels;

/// <summary>Tables of the wide layouts, made once, in memory that stays where it is.</summary>
internal static unsafe class WideTables
{
    private const int HalfCount = 1 << 16;

    /// <summary>Every fp16 number as a float: .NET has no instruction for one, and this is one load.</summary>
    public static readonly float* Halves = MakeHalves();

    /// <summary>The sixteen values of NF4.</summary>
    public static readonly float* Nf4 = MakeNf4();

    private static float* MakeHalves()
    {
        var halves = Allocate(HalfCount);
        for (var bits = 0; bits < HalfCount; bits++)
        {
            halves[bits] = HalfBits.ToSingle((ushort)bits);
        }

        return halves;
    }

    private static float* MakeNf4()
    {
        var values = Allocate(Nf4Format.Values.Length);
        Nf4Format.Values.CopyTo(new Span<float>(values, Nf4Format.Values.Length));
        return values;
    }

    private static float* Allocate(int count) =>
        (float*)NativeMemory.AlignedAlloc((nuint)count * sizeof(float), Prefetch.Line);
}
