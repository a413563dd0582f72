using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace SafeLlama.Model;

/// <summary>Converts the quants of a block to floats, 32 at a time.</summary>
internal static class BlockVectors
{
    /// <summary>32 bytes of a block.</summary>
    public static Vector256<byte> Load(ReadOnlySpan<byte> bytes) =>
        Vector256.LoadUnsafe(ref MemoryMarshal.GetReference(bytes[..32]));

    /// <summary>The lower four bits of each byte.</summary>
    public static Vector256<byte> Low(Vector256<byte> bytes) => bytes & Vector256.Create((byte)15);

    /// <summary>The upper four bits of each byte.</summary>
    public static Vector256<byte> High(Vector256<byte> bytes) => bytes >>> 4;

    /// <summary>y = q · scale − minimum.</summary>
    public static void Store(Vector256<sbyte> q, float scale, float minimum, Span<float> y) =>
        Store(q, scale, scale, minimum, y);

    /// <summary>The same with one scale for the first sixteen and one for the others.</summary>
    public static void Store(Vector256<sbyte> q, float first, float second, float minimum, Span<float> y)
    {
        var (low, high) = Vector256.Widen(q);
        ref var to = ref MemoryMarshal.GetReference(y[..32]);
        Store(low, Vector256.Create(first), Vector256.Create(minimum), ref to);
        Store(high, Vector256.Create(second), Vector256.Create(minimum), ref Unsafe.Add(ref to, 16));
    }

    private static void Store(Vector256<short> q, Vector256<float> scale, Vector256<float> minimum, ref float y)
    {
        var (low, high) = Vector256.Widen(q);
        ((Vector256.ConvertToSingle(low) * scale) - minimum).StoreUnsafe(ref y);
        ((Vector256.ConvertToSingle(high) * scale) - minimum).StoreUnsafe(ref y, 8);
    }
}
