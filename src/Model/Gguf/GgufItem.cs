using SafeLlama.Common;

namespace SafeLlama.Model;

/// <summary>One tensor to write, produced in parts on demand.</summary>
/// <param name="Dimensions">Outermost first.</param>
public sealed record GgufItem(
    string Name, GgufType Type, IReadOnlyList<int> Dimensions, Func<IEnumerable<byte[]>> Parts)
{
    public long ByteCount => Type.ByteCount(Dimensions.Aggregate(1L, (count, size) => checked(count * size)));

    /// <summary>A small tensor with its values.</summary>
    public static GgufItem OfFloats(string name, IReadOnlyList<int> dimensions, float[] values) =>
        new(name, GgufType.F32, dimensions, () => [Encoded(GgufType.F32, values, threads: 1)]);

    /// <summary>
    /// Rows as stored bytes. Each block is encoded on its own, so the result does not depend on threads.
    /// </summary>
    internal static byte[] Encoded(GgufType type, float[] values, int threads)
    {
        const int Chunk = 256 * 64;
        var bytes = new byte[type.ByteCount(values.Length)];
        var chunks = (values.Length + Chunk - 1) / Chunk;
        Parallel.For(0, chunks, new ParallelOptions { MaxDegreeOfParallelism = threads }, chunk =>
        {
            var (first, count) = (chunk * Chunk, Math.Min(Chunk, values.Length - (chunk * Chunk)));
            GgufBlocks.Encode(
                type,
                values.AsSpan(first, count),
                bytes.AsSpan((int)type.ByteCount(first), (int)type.ByteCount(count)));
        });
        return bytes;
    }
}
