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

        var whole = columns.First + ((columns.End - columns.First) / Columns * Columns);
        FourColumns(p, rows.First, (columns.First, whole));
        SomeRows(p, rows, (whole, columns.End));
    }

    /// <summary>Writes whole rows of the weight as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Decode(in MatrixProduct p, int first, int count, float* to)
    {
        var (depth, bytes) = (p.K, RowBytes(p));
        nint blockBytes = BlockBytes(bytes), parts = Size(p) / TLayout.Part;
        var table = TLayout.Table;
        var scratch = stackalloc float[TLayout.Scales + (2 * Lanes)];
        var scales = Align(scratch);
        for (var row = first; row < first + count; row++)
        {
            var b = p.B + (row * bytes);
            for (var k = 0; k < depth; k += Size(p), b += blockBytes)
            {
                TLayout.Prepare(b, scales, table);
                for (var part = 0; part < parts; part++, to += TLayout.Part)
                {
                    Prefetch.ToL2(b + Ahead + (part * Prefetch.Line));
                    var weights = TLayout.Load(b, part, scales, table);
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

    /// <summary>One row, and four columns at a time.</summary>
    /// <remarks>
    /// The four lie side by side in memory: while they are read, the lines of others are asked for in rising order.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourColumns(in MatrixProduct p, int row, (int First, int End) columns)
    {
        var bytes = RowBytes(p);
        nint blockBytes = BlockBytes(bytes), parts = Size(p) / TLayout.Part;
        var table = TLayout.Table;
        var scratch = stackalloc float[(Columns * TLayout.Scales) + (2 * Lanes)];
        var scales = Align(scratch);
        float* scales1 = scales + TLayout.Scales, scales2 = scales1 + TLayout.Scales;
        var scales3 = scales2 + TLayout.Scales;
        float* first = p.A + (row * p.ARowStride), end = first + p.K;
        float* c = p.C + (row * p.CStride), addend = p.Addend == null ? null : p.Addend + (row * p.AddendStride);
        var factor = Vector128.Create(p.Scale);
        for (var column = columns.First; column < columns.End; column += Columns)
        {
            byte* b0 = p.B + (column * bytes), b1 = b0 + bytes, b2 = b1 + bytes, b3 = b2 + bytes;
            var next = b3 + bytes + Ahead;
            Vector512<float> s0 = default, s1 = default, s2 = default, s3 = default;
            for (var a = first; a < end;)
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

            var before = addend == null ? Vector128<float>.Zero : Vector128.Load(addend + column);
            (before + (factor * Sums(s0, s1, s2, s3))).Store(c + column);
        }
    }

    /// <summary>Two to four rows, or what columns are left: one column after another.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SomeRows(in MatrixProduct p, (int First, int End) rows, (int First, int End) columns)
    {
        var (depth, count, bytes) = (p.K, rows.End - rows.First, RowBytes(p));
        nint blockBytes = BlockBytes(bytes), parts = Size(p) / TLayout.Part;
        var table = TLayout.Table;
        var scratch = stackalloc float[TLayout.Scales + (2 * Lanes)];
        var scales = Align(scratch);
        var stride = p.ARowStride;
        var first = p.A + (rows.First * stride);
        for (var column = columns.First; column < columns.End; column++)
        {
            var b = p.B + (column * bytes);
            Vector512<float> s0 = default, s1 = default, s2 = default, s3 = default;
            var k = 0;
            for (var block = 0; block < depth; block += Size(p), b += blockBytes)
            {
                TLayout.Prepare(b, scales, table);
                for (var part = 0; part < parts; part++, k += TLayout.Part)
                {
                    Prefetch.ToL2(b + Ahead + (part * Prefetch.Line));
                    var weights = TLayout.Load(b, part, scales, table);
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

    /// <summary>The first whole line: what is read back soon after it was stored must not lie in two.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float* Align(float* scratch) => (float*)(((nint)scratch + Prefetch.Line - 1) & -Prefetch.Line);

    /// <summary>Elements of a block; a constant but where a row is one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Size(in MatrixProduct p) => TLayout.Size == 0 ? p.K : TLayout.Size;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint BlockBytes(nint rowBytes) => TLayout.Size == 0 ? rowBytes : TLayout.Bytes;

    private static nint RowBytes(in MatrixProduct p) => (nint)p.BFormat.RowBytes((int)p.BStride);
}
