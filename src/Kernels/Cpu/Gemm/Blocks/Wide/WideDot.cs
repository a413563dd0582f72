using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SafeLlama.Kernels;

/// <summary>Products of up to four rows of A with weights in blocks, decoded in 512-bit registers.</summary>
/// <remarks>
/// Every weight becomes the same float as in <see cref="WeightFormat.Decode"/>, and is added in the same order as in
/// <see cref="DotStream{TLanes, TStored, TRows}"/>: the bytes of the result are those of the decoded weight.
/// </remarks>
internal static unsafe class WideDot<TLayout>
    where TLayout : struct, IWideLayout
{
    /// <summary>Columns of C that one row of A meets at a time.</summary>
    /// <remarks>A sum follows its own additions, one after another; four sums keep the processor busy.</remarks>
    private const int Columns = 4;

    private const int Lanes = 16;

    /// <summary>
    /// Bytes that memory brings ahead of the next four columns: a few hundred nanoseconds' worth.
    /// </summary>
    private const int Ahead = 8192;

    /// <summary>Computes the rows, at most four, and the columns given.</summary>
    public static void Run(in MatrixProduct p, (int First, int End) rows, (int First, int End) columns)
    {
        if (rows.End - rows.First > 1)
        {
            SomeRows(p, rows, columns);
            return;
        }

        var column = columns.First;
        for (; column <= columns.End - Columns; column += Columns)
        {
            FourColumns(p, rows.First, column);
        }

        SomeRows(p, rows, (column, columns.End));
    }

    /// <summary>Writes whole rows of the weight as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Decode(in MatrixProduct p, int first, int count, float* to)
    {
        var (depth, walk) = (p.K, new Walk(p));
        var scales = stackalloc float[TLayout.Scales + 1];
        for (var row = first; row < first + count; row++)
        {
            var b = p.B + (row * walk.RowBytes);
            for (var k = 0; k < depth; k += walk.Size, b += walk.BlockBytes)
            {
                TLayout.Prepare(b, scales, walk.Table);
                for (var part = 0; part < walk.Parts; part++, to += TLayout.Part)
                {
                    Prefetch.ToL2(b + Ahead + (part * Prefetch.Line));
                    var weights = TLayout.Load(b, part, scales, walk.Table);
                    weights.A.Store(to);
                    weights.B.Store(to + Lanes);
                    if (TLayout.Part > 2 * Lanes)
                    {
                        weights.C.Store(to + (2 * Lanes));
                        weights.D.Store(to + (3 * Lanes));
                    }
                }
            }
        }
    }

    /// <remarks>
    /// The four lie side by side in memory: while they are read, the lines of others are asked for in rising order.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourColumns(in MatrixProduct p, int row, int column)
    {
        var walk = new Walk(p);
        var (blockBytes, parts) = (walk.BlockBytes, walk.Parts);
        var table = TLayout.Table;
        var scales = stackalloc float[(Columns * TLayout.Scales) + 1];
        float* scales1 = scales + TLayout.Scales, scales2 = scales1 + TLayout.Scales;
        var scales3 = scales2 + TLayout.Scales;
        float* a = p.A + (row * p.ARowStride), end = a + p.K;
        byte* b0 = p.B + (column * walk.RowBytes), b1 = b0 + walk.RowBytes, b2 = b1 + walk.RowBytes;
        byte* b3 = b2 + walk.RowBytes, next = b3 + walk.RowBytes + Ahead;
        Vector512<float> s0 = default, s1 = default, s2 = default, s3 = default;
        while (a < end)
        {
            TLayout.Prepare(b0, scales, table);
            TLayout.Prepare(b1, scales1, table);
            TLayout.Prepare(b2, scales2, table);
            TLayout.Prepare(b3, scales3, table);
            for (var part = 0; part < parts; part++, a += TLayout.Part)
            {
                next = PrefetchNext(next);
                Vector512<float> x0 = Vector512.Load(a), x1 = Vector512.Load(a + Lanes), x2 = default, x3 = default;
                if (TLayout.Part > 2 * Lanes)
                {
                    (x2, x3) = (Vector512.Load(a + (2 * Lanes)), Vector512.Load(a + (3 * Lanes)));
                }

                s0 = Add(s0, TLayout.Load(b0, part, scales, table), x0, x1, x2, x3);
                s1 = Add(s1, TLayout.Load(b1, part, scales1, table), x0, x1, x2, x3);
                s2 = Add(s2, TLayout.Load(b2, part, scales2, table), x0, x1, x2, x3);
                s3 = Add(s3, TLayout.Load(b3, part, scales3, table), x0, x1, x2, x3);
            }

            b0 += blockBytes;
            b1 += blockBytes;
            b2 += blockBytes;
            b3 += blockBytes;
        }

        var before = p.Addend == null
            ? Vector128<float>.Zero : Vector128.Load(p.Addend + (row * p.AddendStride) + column);
        (before + (Vector128.Create(p.Scale) * Sums(s0, s1, s2, s3))).Store(p.C + (row * p.CStride) + column);
    }

    /// <summary>Two to four rows, or what columns are left: one column after another.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SomeRows(in MatrixProduct p, (int First, int End) rows, (int First, int End) columns)
    {
        var (walk, depth, count) = (new Walk(p), p.K, rows.End - rows.First);
        var scales = stackalloc float[TLayout.Scales + 1];
        var stride = p.ARowStride;
        var first = p.A + (rows.First * stride);
        for (var column = columns.First; column < columns.End; column++)
        {
            var b = p.B + (column * walk.RowBytes);
            Vector512<float> s0 = default, s1 = default, s2 = default, s3 = default;
            var k = 0;
            for (var block = 0; block < depth; block += walk.Size, b += walk.BlockBytes)
            {
                TLayout.Prepare(b, scales, walk.Table);
                for (var part = 0; part < walk.Parts; part++, k += TLayout.Part)
                {
                    Prefetch.ToL2(b + Ahead + (part * Prefetch.Line));
                    var weights = TLayout.Load(b, part, scales, walk.Table);
                    var a = first + k;
                    s0 = Add(s0, weights, a);
                    if (count > 1)
                    {
                        s1 = Add(s1, weights, a + stride);
                    }

                    if (count > 2)
                    {
                        s2 = Add(s2, weights, a + (2 * stride));
                    }

                    if (count > 3)
                    {
                        s3 = Add(s3, weights, a + (3 * stride));
                    }
                }
            }

            Store(p, rows.First, column, s0);
            if (count > 1)
            {
                Store(p, rows.First + 1, column, s1);
            }

            if (count > 2)
            {
                Store(p, rows.First + 2, column, s2);
            }

            if (count > 3)
            {
                Store(p, rows.First + 3, column, s3);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Add(Vector512<float> sum, WidePart weights, float* a) =>
        TLayout.Part > 2 * Lanes
            ? Add(
                sum, weights, Vector512.Load(a), Vector512.Load(a + Lanes), Vector512.Load(a + (2 * Lanes)),
                Vector512.Load(a + (3 * Lanes)))
            : Add(sum, weights, Vector512.Load(a), Vector512.Load(a + Lanes), default, default);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Add(
        Vector512<float> sum, WidePart weights, Vector512<float> x0, Vector512<float> x1, Vector512<float> x2,
        Vector512<float> x3)
    {
        sum = Avx512F.FusedMultiplyAdd(x1, weights.B, Avx512F.FusedMultiplyAdd(x0, weights.A, sum));
        return TLayout.Part > 2 * Lanes
            ? Avx512F.FusedMultiplyAdd(x3, weights.D, Avx512F.FusedMultiplyAdd(x2, weights.C, sum))
            : sum;
    }

    /// <summary>Asks for as many bytes as four parts have; gives the place after them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* PrefetchNext(byte* next)
    {
        var bytes = TLayout.Size == 0 ? Columns * TLayout.Part : Columns * TLayout.Bytes * TLayout.Part / TLayout.Size;
        Prefetch.ToL1(next);
        if (bytes > Prefetch.Line)
        {
            Prefetch.ToL1(next + Prefetch.Line);
        }

        if (bytes > 2 * Prefetch.Line)
        {
            Prefetch.ToL1(next + (2 * Prefetch.Line));
        }

        if (bytes > 3 * Prefetch.Line)
        {
            Prefetch.ToL1(next + (3 * Prefetch.Line));
        }

        return next + bytes;
    }

    /// <summary>The sums of four vectors, each in the order of <see cref="Vector512.Sum"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Sums(
        Vector512<float> s0, Vector512<float> s1, Vector512<float> s2, Vector512<float> s3)
    {
        // Neighbors, then pairs, within each 128 bits; so every 128 bits hold a part of all four.
        var low = Avx512F.Shuffle(s0, s1, 0x88) + Avx512F.Shuffle(s0, s1, 0xDD);
        var high = Avx512F.Shuffle(s2, s3, 0x88) + Avx512F.Shuffle(s2, s3, 0xDD);
        var four = Avx512F.Shuffle(low, high, 0x88) + Avx512F.Shuffle(low, high, 0xDD);
        return four.GetLower().GetLower() + four.GetLower().GetUpper()
            + (four.GetUpper().GetLower() + four.GetUpper().GetUpper());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(in MatrixProduct p, int row, int column, Vector512<float> sum) =>
        DotEnd<Lanes512, StoredFloat32>.Store(p, row, column, new(sum), null, null, p.K);

    /// <summary>How a row is walked through.</summary>
    private readonly struct Walk
    {
        public readonly nint RowBytes;
        public readonly nint BlockBytes;
        public readonly int Size;
        public readonly int Parts;
        public readonly float* Table;

        public Walk(in MatrixProduct p)
        {
            RowBytes = (nint)p.BFormat.RowBytes((int)p.BStride);
            BlockBytes = TLayout.Size == 0 ? RowBytes : TLayout.Bytes;
            Size = TLayout.Size == 0 ? p.K : TLayout.Size;
            Parts = Size / TLayout.Part;
            Table = TLayout.Table;
        }
    }
}
