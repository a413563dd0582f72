using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>
/// One, two or four rows of A against weights in blocks of signed bytes behind an fp16 scale (Q8_0), decoded in
/// registers.
/// </summary>
/// <remarks>
/// Every weight becomes the same float as in <see cref="WeightFormat.Decode"/>, and is added in the same order as in
/// <see cref="DotStream{TLanes, TStored, TRows}"/>: the bytes of the result are those of the decoded weight.
/// </remarks>
internal static unsafe class DotSignedBytes<TLanes, TRows>
    where TLanes : struct, ILanes<TLanes>
    where TRows : struct, IDotSize
{
    private const int ScaleBytes = 2;
    private const int Size = 32;

    /// <summary>Bytes ahead that are asked for: what memory brings while some columns are read.</summary>
    private const int Ahead = 2048;

    /// <summary>
    /// Computes <typeparamref name="TRows"/> rows from <paramref name="row"/> on, and the columns given.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(in MatrixProduct p, int row, (int First, int End) columns)
    {
        var stride = p.ARowStride;
        var (bytes, blocks) = ((nint)p.BFormat.RowBytes((int)p.BStride), p.K / Size);
        for (var column = columns.First; column < columns.End; column++)
        {
            TLanes s0 = default, s1 = default, s2 = default, s3 = default;
            var b = p.B + (column * bytes);
            float* a0 = p.A + (row * stride), a2 = a0 + (2 * stride);
            for (var block = 0; block < blocks; block++, b += ScaleBytes + Size)
            {
                Prefetch.ToL2(b + Ahead);
                var scale = TLanes.Broadcast(Scale(*(ushort*)b));
                for (var i = 0; i < Size; i += TLanes.Count)
                {
                    var weight = TLanes.Multiply(TLanes.LoadSignedBytes((sbyte*)b + ScaleBytes + i), scale);
                    s0 = TLanes.MultiplyAdd(TLanes.Load(a0), weight, s0);
                    if (TRows.Count > 1)
                    {
                        s1 = TLanes.MultiplyAdd(TLanes.Load(a0 + stride), weight, s1);
                    }

                    if (TRows.Count > 2)
                    {
                        s2 = TLanes.MultiplyAdd(TLanes.Load(a2), weight, s2);
                        s3 = TLanes.MultiplyAdd(TLanes.Load(a2 + stride), weight, s3);
                    }

                    a0 += TLanes.Count;
                    a2 += TLanes.Count;
                }
            }

            Store(p, row, column, s0);
            if (TRows.Count > 1)
            {
                Store(p, row + 1, column, s1);
            }

            if (TRows.Count > 2)
            {
                Store(p, row + 2, column, s2);
                Store(p, row + 3, column, s3);
            }
        }
    }

    /// <summary>A finite fp16 as a float: the product is exact.</summary>
    private static float Scale(ushort bits)
    {
        var magnitude = BitConverter.UInt32BitsToSingle((bits & 0x7FFFu) << 13) * HalfBits.Rebias;
        return BitConverter.UInt32BitsToSingle(
            BitConverter.SingleToUInt32Bits(magnitude) | ((bits & 0x8000u) << 16));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(in MatrixProduct p, int row, int column, TLanes sum) =>
        DotEnd<TLanes, StoredFloat32>.Store(p, row, column, sum, null, null, p.K);
}
