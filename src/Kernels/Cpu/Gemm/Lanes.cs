using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SafeLlama.Kernels;

/// <summary>A vector of floats of some width, so that one source of a kernel serves every instruction set.</summary>
/// <remarks>
/// The just-in-time compiler specializes the kernel for each width, without any cost of the abstraction.
/// </remarks>
internal unsafe partial interface ILanes<TSelf>
    where TSelf : struct, ILanes<TSelf>
{
    /// <summary>Floats in one vector.</summary>
    static abstract int Count { get; }

    /// <summary>Whether 32 vector registers hold 24 accumulators; with 16 they hold 12.</summary>
    static abstract bool ManyRegisters { get; }

    static abstract TSelf Load(float* source);

    /// <summary>Loads bf16 values, widened exactly: they are the upper halves of floats.</summary>
    static abstract TSelf LoadBFloat16(ushort* source);

    /// <summary>Loads fp16 values, widened exactly.</summary>
    static abstract TSelf LoadFloat16(ushort* source);

    /// <summary>The same value in every lane.</summary>
    static abstract TSelf Broadcast(float value);

    /// <summary>x · y + z, rounded once where the machine can.</summary>
    static abstract TSelf MultiplyAdd(TSelf x, TSelf y, TSelf z);

    static abstract TSelf Multiply(TSelf x, TSelf y);

    static abstract void Store(float* destination, TSelf value);

    /// <summary>The sum of all lanes, in a fixed order.</summary>
    static abstract float Sum(TSelf value);

    /// <summary>
    /// Transposes a block: element k of each of <see cref="Count"/> rows becomes vector k, for k = 0 … 3.
    /// </summary>
    /// <param name="rows">[<see cref="Count"/>, 4].</param>
    /// <param name="stride">Floats from row to row.</param>
    /// <param name="vectors">[4, <see cref="Count"/>].</param>
    /// <param name="vectorStride">Floats from vector to vector.</param>
    /// <param name="exchange">1 writes vector 0 in the place of vector 1, 2 in that of 3, and back; 0 does not.</param>
    static abstract void Transpose(float* rows, nint stride, float* vectors, nint vectorStride, int exchange = 0);
}

/// <summary>Sixteen floats: AVX-512.</summary>
internal readonly unsafe partial struct Lanes512(Vector512<float> value) : ILanes<Lanes512>
{
    private readonly Vector512<float> _value = value;

    public static int Count => 16;

    public static bool ManyRegisters => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Load(float* source) => new(Vector512.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadBFloat16(ushort* source) =>
        new(Vector512.ShiftLeft(Widen(source), 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadFloat16(ushort* source)
    {
        var bits = Widen(source);
        var magnitude = Vector512.ShiftLeft(bits & Vector512.Create(0x7FFFu), 13);
        var finite = (magnitude.AsSingle() * Vector512.Create(HalfBits.Rebias)).AsUInt32();
        var special = Vector512.GreaterThanOrEqual(magnitude, Vector512.Create(HalfBits.Infinity));
        var sign = Vector512.ShiftLeft(bits & Vector512.Create(0x8000u), 16);
        return new((finite | (special & Vector512.Create(HalfBits.FloatInfinity)) | sign).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Broadcast(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 MultiplyAdd(Lanes512 x, Lanes512 y, Lanes512 z) =>
        new(Vector512.MultiplyAddEstimate(x._value, y._value, z._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Multiply(Lanes512 x, Lanes512 y) => new(x._value * y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* destination, Lanes512 value) => value._value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes512 value) => Vector512.Sum(value._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose(float* rows, nint stride, float* vectors, nint vectorStride, int exchange = 0)
    {
        // Quarter q of "r1" holds four values of row 4·q + 1; interleaving r0 … r3 completes the transposition.
        var (r0, r1) = (Quarters(rows, stride), Quarters(rows + stride, stride));
        var (r2, r3) = (Quarters(rows + (2 * stride), stride), Quarters(rows + (3 * stride), stride));
        var (low01, high01) = (Avx512F.UnpackLow(r0, r1).AsDouble(), Avx512F.UnpackHigh(r0, r1).AsDouble());
        var (low23, high23) = (Avx512F.UnpackLow(r2, r3).AsDouble(), Avx512F.UnpackHigh(r2, r3).AsDouble());
        Avx512F.UnpackLow(low01, low23).AsSingle().Store(vectors + ((0 ^ exchange) * vectorStride));
        Avx512F.UnpackHigh(low01, low23).AsSingle().Store(vectors + ((1 ^ exchange) * vectorStride));
        Avx512F.UnpackLow(high01, high23).AsSingle().Store(vectors + ((2 ^ exchange) * vectorStride));
        Avx512F.UnpackHigh(high01, high23).AsSingle().Store(vectors + ((3 ^ exchange) * vectorStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Widen(ushort* source) => Avx512F.ConvertToVector512UInt32(Vector256.Load(source));

    /// <summary>Four values of each of the rows 0, 4, 8 and 12.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Quarters(float* row, nint stride)
    {
        var value = Vector128.Load(row).ToVector256Unsafe().ToVector512Unsafe();
        value = Avx512F.InsertVector128(value, Vector128.Load(row + (4 * stride)), 1);
        value = Avx512F.InsertVector128(value, Vector128.Load(row + (8 * stride)), 2);
        return Avx512F.InsertVector128(value, Vector128.Load(row + (12 * stride)), 3);
    }
}

/// <summary>Eight floats: AVX2, and whatever the runtime makes of 256 bits elsewhere.</summary>
internal readonly unsafe partial struct Lanes256(Vector256<float> value) : ILanes<Lanes256>
{
    private readonly Vector256<float> _value = value;

    public static int Count => 8;

    public static bool ManyRegisters => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Load(float* source) => new(Vector256.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadBFloat16(ushort* source) => new(Vector256.ShiftLeft(Widen(source), 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadFloat16(ushort* source)
    {
        var bits = Widen(source);
        var magnitude = Vector256.ShiftLeft(bits & Vector256.Create(0x7FFFu), 13);
        var finite = (magnitude.AsSingle() * Vector256.Create(HalfBits.Rebias)).AsUInt32();
        var special = Vector256.GreaterThanOrEqual(magnitude, Vector256.Create(HalfBits.Infinity));
        var sign = Vector256.ShiftLeft(bits & Vector256.Create(0x8000u), 16);
        return new((finite | (special & Vector256.Create(HalfBits.FloatInfinity)) | sign).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Broadcast(float value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 MultiplyAdd(Lanes256 x, Lanes256 y, Lanes256 z) =>
        new(Vector256.MultiplyAddEstimate(x._value, y._value, z._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Multiply(Lanes256 x, Lanes256 y) => new(x._value * y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* destination, Lanes256 value) => value._value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes256 value) => Vector256.Sum(value._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose(float* rows, nint stride, float* vectors, nint vectorStride, int exchange = 0)
    {
        Lanes128.Transpose(rows, stride, vectors, vectorStride, exchange);
        Lanes128.Transpose(rows + (4 * stride), stride, vectors + 4, vectorStride, exchange);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Widen(ushort* source)
    {
        var (low, high) = Vector128.Widen(Vector128.Load(source));
        return Vector256.Create(low, high);
    }
}

/// <summary>Four floats: the portable form.</summary>
internal readonly unsafe partial struct Lanes128(Vector128<float> value) : ILanes<Lanes128>
{
    private readonly Vector128<float> _value = value;

    public static int Count => 4;

    public static bool ManyRegisters => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Load(float* source) => new(Vector128.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadBFloat16(ushort* source) => new(Vector128.ShiftLeft(Widen(source), 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadFloat16(ushort* source)
    {
        var bits = Widen(source);
        var magnitude = Vector128.ShiftLeft(bits & Vector128.Create(0x7FFFu), 13);
        var finite = (magnitude.AsSingle() * Vector128.Create(HalfBits.Rebias)).AsUInt32();
        var special = Vector128.GreaterThanOrEqual(magnitude, Vector128.Create(HalfBits.Infinity));
        var sign = Vector128.ShiftLeft(bits & Vector128.Create(0x8000u), 16);
        return new((finite | (special & Vector128.Create(HalfBits.FloatInfinity)) | sign).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Broadcast(float value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 MultiplyAdd(Lanes128 x, Lanes128 y, Lanes128 z) =>
        new(Vector128.MultiplyAddEstimate(x._value, y._value, z._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Multiply(Lanes128 x, Lanes128 y) => new(x._value * y._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* destination, Lanes128 value) => value._value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes128 value) => Vector128.Sum(value._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose(float* rows, nint stride, float* vectors, nint vectorStride, int exchange = 0)
    {
        if (Sse.IsSupported)
        {
            var (r0, r1) = (Vector128.Load(rows), Vector128.Load(rows + stride));
            var (r2, r3) = (Vector128.Load(rows + (2 * stride)), Vector128.Load(rows + (3 * stride)));
            var (low01, high01) = (Sse.UnpackLow(r0, r1), Sse.UnpackHigh(r0, r1));
            var (low23, high23) = (Sse.UnpackLow(r2, r3), Sse.UnpackHigh(r2, r3));
            Sse.MoveLowToHigh(low01, low23).Store(vectors + ((0 ^ exchange) * vectorStride));
            Sse.MoveHighToLow(low23, low01).Store(vectors + ((1 ^ exchange) * vectorStride));
            Sse.MoveLowToHigh(high01, high23).Store(vectors + ((2 ^ exchange) * vectorStride));
            Sse.MoveHighToLow(high23, high01).Store(vectors + ((3 ^ exchange) * vectorStride));
            return;
        }

        for (var k = 0; k < 4; k++)
        {
            for (var row = 0; row < 4; row++)
            {
                vectors[((k ^ exchange) * vectorStride) + row] = rows[(row * stride) + k];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Widen(ushort* source) =>
        Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)source).AsUInt16());
}

/// <summary>
/// fp16 to fp32: exponent and mantissa move 13 bits up; a product with 2¹¹² corrects the exponent's bias.
/// </summary>
/// <remarks>
/// The product is exact, subnormal numbers included. Infinity and NaN are recognized by their exponent.
/// </remarks>
internal static class HalfBits
{
    public const float Rebias = 5.192296858534828e33f;

    public const uint Infinity = 0x7C00u << 13;

    public const uint FloatInfinity = 0x7F800000u;

    /// <summary>A finite fp16 as a float, exactly.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ToSingle(ushort bits)
    {
        var magnitude = BitConverter.UInt32BitsToSingle((bits & 0x7FFFu) << 13) * Rebias;
        return BitConverter.UInt32BitsToSingle(
            BitConverter.SingleToUInt32Bits(magnitude) | ((bits & 0x8000u) << 16));
    }
}
