using System.Runtime.InteropServices;
using static SafeLlama.Kernels.Registers;

namespace SafeLlama.Kernels;

/// <summary>Writes the machine code that rounds a row of fp32 to bf16, 32 numbers at a time.</summary>
/// <remarks>
/// The processor rounds to nearest, ties to even, takes subnormal numbers for zero and makes a NaN quiet; that small
/// numbers become zero is done after it. So six instructions do what takes some twenty without vcvtne2ps2bf16.
/// <code>
/// registers rax from; rdx to; rcx the arguments; zmm16 … zmm19, which no calling convention wants back
/// </code>
/// </remarks>
internal static class RoundingCode
{
    /// <summary>Numbers of one turn of the loop.</summary>
    public const int Together = 32;

    private const int VectorBytes = 64;
    private const int Values = 16;
    private const int Magnitudes = 17;
    private const int SignMask = 18;
    private const int Least = 19;
    private const int IsKept = 1;

    /// <summary>The code of a function that takes the address of its <see cref="RoundingArguments"/>.</summary>
    /// <param name="windows">Whether Windows' calling convention holds, else System V's.</param>
    public static byte[] Write(bool windows) => Write(windows, lists: false).ToBytes();

    /// <summary>The same code as text, with comments.</summary>
    public static IReadOnlyList<string> List(bool windows) => Write(windows, lists: true).Listing;

    private static Encoder Write(bool windows, bool lists)
    {
        var code = new Encoder(lists);
        code.Comment("rcx: the arguments");
        if (!windows)
        {
            code.Move(Rcx, Rdi);
        }

        code.Load(Rax, Argument(nameof(RoundingArguments.From)));
        code.Load(Rdx, Argument(nameof(RoundingArguments.To)));
        code.BroadcastPair(SignMask, Argument(nameof(RoundingArguments.Magnitude)));
        code.BroadcastPair(Least, Argument(nameof(RoundingArguments.Least)));
        code.Comment("32 numbers: rounded, then zero where the magnitude is below 2⁻⁵⁶");
        var loop = code.LabelHere();
        code.LoadVector(Values, new(Rax, VectorBytes));
        code.RoundToBFloat16(Values, Values, new(Rax));
        code.And(Magnitudes, Values, SignMask);
        code.CompareWordsNotLess(IsKept, Magnitudes, Least);
        code.KeepWords(Values, Values, IsKept);
        code.StoreVector(new(Rdx), Values, 0);
        code.AddImmediate(Rax, 2 * VectorBytes);
        code.AddImmediate(Rdx, VectorBytes);
        code.Compare(Rdx, Argument(nameof(RoundingArguments.ToEnd)));
        code.JumpBack(Condition.Below, loop);
        code.Return();
        return code;
    }

    private static Operand Argument(string field) =>
        new(Rcx, (int)Marshal.OffsetOf<RoundingArguments>(field));
}

/// <summary>What <see cref="RoundingCode"/> reads and writes, by offset.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RoundingArguments
{
    /// <summary>fp32.</summary>
    public float* From;

    /// <summary>bf16; not over what is still to be read.</summary>
    public ushort* To;

    /// <summary>To and a whole number of <see cref="RoundingCode.Together"/>, at least one.</summary>
    public ushort* ToEnd;

    /// <summary>Twice 7FFF: all bits of a bf16 but its sign.</summary>
    public uint Magnitude;

    /// <summary>Twice the least bf16 that is kept.</summary>
    public uint Least;
}
