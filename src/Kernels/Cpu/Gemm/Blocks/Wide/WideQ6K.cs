using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SafeLlama.Kernels;

/// <summary><see cref="BlockCode.Q6K"/>: d · s · (q − 32), with s a signed byte for each 16.</summary>
/// <remarks>
/// Six bits, put into the upper mantissa of a float of 64, make 64 + q without a conversion. With c = d · s, the weight
/// is (64 + q) · c − 96 · c: both products and the result fit 24 bits, so that one multiply-add gives it exactly.
/// </remarks>
internal readonly unsafe struct WideQ6K : IWideLayout
{
    private const int Upper = 128;
    private const int Signed = 192;
    private const int Scale = 208;

    /// <summary>64f; its lowest byte of exponent begins with the highest bit of the third byte.</summary>
    private const uint SixtyFour = 0x42800000;

    public static int Size => 256;

    public static int Bytes => 210;

    public static int Part => 64;

    public static int Scales => 32;

    public static float* Table => WideTables.Halves;

    /// <summary>Sixteen scales c, then sixteen times −96 · c.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prepare(byte* block, float* scales, float* table)
    {
        var c = WideQ8.SignedBytes(block + Signed)
            * Vector512.Create(table[*(ushort*)(block + Scale)]);
        c.Store(scales);
        (c * Vector512.Create(-96f)).Store(scales + 16);
    }

    /// <remarks>
    /// Parts 2h and 2h + 1 are the low and the high halves of the same 64 bytes. Their upper bits are in the same 32
    /// bytes, two for each of four elements. A byte becomes 1, six bits, 0: the third byte of the float.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WidePart Load(byte* block, int part, float* scales, float* table)
    {
        var half = part >> 1;
        var turns = (uint*)table + WideTables.Turns + ((part & 1) * 32);
        var lower = Avx512F.RotateLeftVariable(Vector512.Load((uint*)(block + (half * 64))), Vector512.Load(turns));

        // No broadcast from memory: .NET 10 encodes its displacement of 128 as 256.
        var bits = Vector256.Load((uint*)(block + Upper + (half * 32)));
        var twice = Avx512F.InsertVector256(bits.ToVector512Unsafe(), bits, 1);
        var upper = Avx512F.RotateLeftVariable(twice, Vector512.Load(turns + 16));
        var six = Vector512.ConditionalSelect(Vector512.Create(0x1E1E1E1Eu), lower, upper);
        var bytes = ((six & Vector512.Create(0x7E7E7E7Eu)) | Vector512.Create(0x80808080u)).AsByte();
        scales += 4 * part;
        return new(
            Weights(bytes, 0, scales), Weights(bytes, 1, scales + 1), Weights(bytes, 2, scales + 2),
            Weights(bytes, 3, scales + 3));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Weights(Vector512<byte> bytes, int quarter, float* scales) =>
        Avx512F.FusedMultiplyAdd(
            Floats(bytes, quarter).AsSingle(), Vector512.Create(scales[0]), Vector512.Create(scales[16]));

    /// <summary>64 + q of sixteen elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Floats(Vector512<byte> bytes, int quarter)
    {
        if (Avx512Vbmi.IsSupported)
        {
            // Indexes from 0x40 on pick bytes of the second vector: 0 or the upper byte of 64f.
            var fourth = Vector512.Create(SixtyFour & 0xFF000000).AsByte();
            var first = Vector512.Create(
                0x43004040u, 0x43014040, 0x43024040, 0x43034040, 0x43044040, 0x43054040, 0x43064040, 0x43074040,
                0x43084040, 0x43094040, 0x430A4040, 0x430B4040, 0x430C4040, 0x430D4040, 0x430E4040, 0x430F4040);
            return Avx512Vbmi.PermuteVar64x8x2(
                bytes, (first + Vector512.Create((uint)quarter << 20)).AsByte(), fourth).AsUInt32();
        }

        var sixteen = quarter switch
        {
            0 => bytes.GetLower().GetLower(),
            1 => bytes.GetLower().GetUpper(),
            2 => bytes.GetUpper().GetLower(),
            _ => bytes.GetUpper().GetUpper(),
        };
        return (Avx512F.ConvertToVector512UInt32(sixteen) << 16) | Vector512.Create(SixtyFour);
    }
}
