using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SafeLlama.Kernels;

/// <summary>NF4: four bits an element, an index into sixteen quantiles of a normal distribution, times the largest
/// magnitude of its block of 64.</summary>
/// <remarks>
/// <code>
/// w = code[index] · absmax                      Dettmers et al. 2023, "QLoRA", arXiv:2305.14314
/// </code>
/// Blocks run over the flattened matrix, across rows. Where 64 does not divide a row, a stored row is cut finer, into
/// parts of the largest power of two that does, each with a copy of its block's absmax: rows stay self-contained.
/// <para>Bytes of a part: fp32 absmax, then indexes in words of 32 bits. With P elements in P/8 words, element e is the
/// four bits of word e mod (P/8) from bit 4 · (e div (P/8)) on, so that shifting all words gives the next elements in
/// order. Parts of less than eight elements hold two indexes a byte, the first in the low half.</para>
/// </remarks>
public sealed class Nf4Format : WeightFormat
{
    /// <summary>Elements that share an absmax.</summary>
    public const int Shared = 64;

    /// <summary>How many values four bits choose from.</summary>
    public const int ValueCount = 16;

    /// <summary>Elements decoded at once.</summary>
    private const int Vector = 16;

    /// <summary>Bytes of an absmax.</summary>
    public const int ScaleBytes = sizeof(float);

    private static readonly Nf4Format[] All = [.. Enumerable.Range(0, 7).Select(i => new Nf4Format(1 << i))];

    private Nf4Format(int part) => BlockSize = part;

    /// <summary>The sixteen values, from −1 to 1.</summary>
    public static ReadOnlySpan<float> Values =>
    [
        -1f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f, -0.28444138169288635f,
        -0.18477343022823334f, -0.09105003625154495f, 0f, 0.07958029955625534f, 0.16093020141124725f,
        0.24611230194568634f, 0.33791524171829224f, 0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1f,
    ];

    public override string Name => "NF4";

    public override int BlockSize { get; }

    public override int BlockBytes => ScaleBytes + Math.Max(1, BlockSize / 2);

    public override BlockCode Code => BlockSize == Shared ? BlockCode.Nf4 : BlockCode.Other;

    /// <summary>The format of rows of so many elements.</summary>
    public static Nf4Format Of(int columns) =>
        All[Math.Min(BitOperations.TrailingZeroCount(columns), BitOperations.Log2(Shared))];

    /// <summary>Lays out the rows of a matrix.</summary>
    /// <param name="packed">Indexes in the order of the flattened matrix, the first of two in the high half of a byte.
    /// </param>
    /// <param name="absmax">One value for each 64 elements.</param>
    /// <param name="rows">All rows.</param>
    public void Pack(ReadOnlySpan<byte> packed, ReadOnlySpan<float> absmax, Span<byte> rows)
    {
        var first = 0L;
        for (var at = 0; at < rows.Length; at += BlockBytes, first += BlockSize)
        {
            var block = rows.Slice(at, BlockBytes);
            BinaryPrimitives.WriteSingleLittleEndian(block, absmax[(int)(first / Shared)]);
            var codes = block[ScaleBytes..];
            codes.Clear();
            for (var i = 0; i < BlockSize; i++)
            {
                var pair = packed[(int)((first + i) / 2)];
                var code = (first + i) % 2 == 0 ? pair >> 4 : pair & 15;
                var (place, shift) = Place(i);
                codes[place] |= (byte)(code << shift);
            }
        }
    }

    /// <summary>Reads rows as they were packed: indexes, one a byte, and each part's absmax.</summary>
    public (byte Index, float Absmax) Read(ReadOnlySpan<byte> row, int element)
    {
        var block = row.Slice(element / BlockSize * BlockBytes, BlockBytes);
        var (place, shift) = Place(element % BlockSize);
        return (
            (byte)((block[ScaleBytes + place] >> shift) & 15), BinaryPrimitives.ReadSingleLittleEndian(block));
    }

    public override unsafe void Decode(ReadOnlySpan<byte> row, int first, Span<float> values)
    {
        fixed (byte* stored = row)
        fixed (float* to = values)
        fixed (float* table = Values)
        {
            // Products cut rows at multiples of sixteen: whole vectors of a block, from any of its four on.
            var i = 0;
            if (BlockSize == Shared && first % Vector == 0)
            {
                for (; i <= values.Length - Vector; i += Vector)
                {
                    var element = first + i;
                    var b = stored + ((long)(element / Shared) * (ScaleBytes + (Shared / 2)));
                    DecodeVector(b + ScaleBytes, element % Shared, *(float*)b, table, to + i);
                }
            }

            for (; i < values.Length; i++)
            {
                var b = stored + ((long)((first + i) / BlockSize) * BlockBytes);
                var (place, shift) = Place((first + i) % BlockSize);
                to[i] = table[(b[ScaleBytes + place] >> shift) & 15] * *(float*)b;
            }
        }
    }

    /// <summary>Sixteen elements of a block from a multiple of sixteen on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void DecodeVector(byte* codes, int first, float absmax, float* table, float* to)
    {
        if (Avx512F.IsSupported)
        {
            var words = Vector256.Load((uint*)codes) >>> (first / 2);
            var indexes = Vector512.Create(words, words >>> 4).AsInt32();
            (Avx512F.PermuteVar16x32(Vector512.Load(table), indexes) * absmax).Store(to);
            return;
        }

        for (var word = 0; word < 8; word++)
        {
            var bits = ((uint*)codes)[word] >> (first / 2);
            to[word] = table[bits & 15] * absmax;
            to[word + 8] = table[(bits >> 4) & 15] * absmax;
        }
    }

    /// <summary>Which byte of a part, and which half of it.</summary>
    private (int Place, int Shift) Place(int element)
    {
        if (BlockSize < 8)
        {
            return (element / 2, element % 2 * 4);
        }

        var words = BlockSize / 8;
        var nibble = element / words;
        return ((element % words * sizeof(uint)) + (nibble / 2), nibble % 2 * 4);
    }
}
