using System.Buffers.Binary;

namespace SafeLlama.Model;

/// <summary>The fp16 scales inside a block.</summary>
internal static class StoredHalf
{
    public static float Read(ReadOnlySpan<byte> bytes) => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes);

    public static void Write(Span<byte> bytes, float value) =>
        BinaryPrimitives.WriteHalfLittleEndian(bytes, (Half)value);
}
