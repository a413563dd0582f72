using System.Runtime.InteropServices;

namespace SafeLlama.Kernels;

/// <summary>Tables of the wide layouts, made once, in memory that stays where it is.</summary>
internal static unsafe class WideTables
{
    private const int HalfCount = 1 << 16;

    /// <summary>
    /// Where, behind <see cref="Halves"/>, stands how far the bits of Q6_K are turned: four vectors of counts, for the
    /// lower and the upper bits of an even part, then of an odd one.
    /// </summary>
    public const int Turns = HalfCount;

    /// <summary>Every fp16 number as a float: .NET has no instruction for one, and this is one load.</summary>
    public static readonly float* Halves = MakeHalves();

    /// <summary>The sixteen values of NF4.</summary>
    public static readonly float* Nf4 = MakeNf4();

    private static float* MakeHalves()
    {
        var halves = Allocate(HalfCount + (4 * 16));
        for (var bits = 0; bits < HalfCount; bits++)
        {
            halves[bits] = HalfBits.ToSingle((ushort)bits);
        }

        // Lower bits move by 1 up, or by 3 down. Of an even part, the first 32 upper bits move by 5, the others by 3;
        // of an odd one by 1 up and by 1 down.
        var turns = (uint*)halves + Turns;
        for (var i = 0; i < 16; i++)
        {
            (turns[i], turns[16 + i]) = (1, i < 8 ? 5u : 3);
            (turns[32 + i], turns[48 + i]) = (29, i < 8 ? 1u : 31);
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
