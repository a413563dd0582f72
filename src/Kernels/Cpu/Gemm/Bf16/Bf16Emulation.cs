using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SafeLlama.Kernels;

/// <summary>The bf16 product where the instruction is missing: the same bytes from the fp32 tile.</summary>
/// <remarks>
/// vdpbf16ps adds the product of the odd elements of a pair, then that of the even ones, each rounded once. So both
/// operands are rounded, kept as floats, and laid out with the two elements of every pair exchanged; the tile then sums
/// k in the order 1, 0, 3, 2, … A product of two bf16 is exact in fp32, so a machine without fused multiply-add agrees
/// too.
/// </remarks>
internal static unsafe class Bf16Emulation
{
    /// <summary>Most columns of a packed block: floats take twice the room of bf16, and k is cut alike.</summary>
    public const int MaxColumns = Bf16Gemm.MaxColumns / 2;

    private const int RowsTogether = 32;

    /// <summary>Rounds a packed block in place and exchanges its steps in pairs.</summary>
    /// <param name="panels">[count, depth, width].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RoundPanels(float* panels, int count, int depth, int width)
    {
        for (var panel = 0; panel < count; panel++)
        {
            for (var k = 0; k < depth; k += 2, panels += 2 * width)
            {
                if (k + 1 == depth)
                {
                    RoundRow(panels, width, panels);
                    panels -= width;
                    continue;
                }

                RoundExchanged(panels, panels + width, width);
            }
        }
    }

    /// <summary>The same product over a rounded copy of A, its k exchanged in pairs.</summary>
    public static MatrixProduct RoundA(in MatrixProduct p, TilePool pool, GrowingScratch scratch)
    {
        var alongRows = p.AStepStride == 1;
        var (rows, columns) = alongRows ? (p.Rows, p.K) : (p.K, p.Rows);
        var stride = ((columns + 15) / 16 | 1) * 16;
        var copy = scratch.Floats((long)rows * stride);
        var rounded = p with
        {
            A = copy,
            AIsBFloat16 = false,
            ARowStride = alongRows ? stride : 1,
            AStepStride = alongRows ? 1 : stride,
        };
        pool.For(
            (rows + RowsTogether - 1) / RowsTogether,
            (p, rounded),
            static (in op, part) => RoundCopy(op.p, op.rounded, part * RowsTogether));
        return rounded;
    }

    private static void RoundCopy(in MatrixProduct p, in MatrixProduct rounded, int first)
    {
        var alongRows = p.AStepStride == 1;
        var (rows, columns) = alongRows ? (p.Rows, p.K) : (p.K, p.Rows);
        for (var row = first; row < Math.Min(rows, first + RowsTogether); row++)
        {
            var other = alongRows || (row ^ 1) == rows ? row : row ^ 1;
            var to = rounded.A + (other * (alongRows ? rounded.ARowStride : rounded.AStepStride));
            if (alongRows)
            {
                RoundExchanged(p, row * p.ARowStride, columns, to);
            }
            else if (p.AIsBFloat16)
            {
                Bf16Rows.Widen((ushort*)p.A + (row * p.AStepStride), columns, to);
            }
            else
            {
                RoundRow(p.A + (row * p.AStepStride), columns, to);
            }
        }
    }

    /// <summary>The rows of one tile, for a block of k.</summary>
    /// <param name="p">The product; its A lies along rows.</param>
    /// <param name="first">The first row.</param>
    /// <param name="rows">How many there are, and how many the tile reads; the others are zero.</param>
    /// <param name="k">The block of k.</param>
    /// <param name="to">[tile, depth].</param>
    public static void RoundRows(
        in MatrixProduct p, int first, (int Count, int Tile) rows, (int First, int Depth) k, float* to)
    {
        for (var row = 0; row < rows.Count; row++)
        {
            RoundExchanged(p, ((first + row) * p.ARowStride) + k.First, k.Depth, to + (row * k.Depth));
        }

        new Span<float>(to + (rows.Count * k.Depth), (rows.Tile - rows.Count) * k.Depth).Clear();
    }

    /// <summary>Fetches a share of the next rows of A while a panel is computed: they are read at once.</summary>
    public static void PrefetchRows(
        in MatrixProduct p, (int First, int End) rows, (int First, int Depth) k, (int Index, int Count) panel)
    {
        var size = p.AIsBFloat16 ? sizeof(ushort) : sizeof(float);
        var lines = ((size * k.Depth) + Prefetch.Line - 1) / Prefetch.Line;
        var (first, last) = (panel.Index * lines / panel.Count, (panel.Index + 1) * lines / panel.Count);
        for (var row = rows.First; row < rows.End; row++)
        {
            var from = (byte*)p.A + (((row * p.ARowStride) + k.First) * size);
            for (var line = first; line < last; line++)
            {
                Prefetch.ToL2(from + (line * Prefetch.Line));
            }
        }
    }

    /// <summary>A run of A whose pairs lie side by side; what is kept in bf16 is rounded already.</summary>
    private static void RoundExchanged(in MatrixProduct p, nint at, int count, float* to)
    {
        if (p.AIsBFloat16)
        {
            WidenExchanged((ushort*)p.A + at, count, to);
        }
        else
        {
            RoundExchanged(p.A + at, count, to);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RoundRow(float* from, int count, float* to)
    {
        var i = 0;
        if (Avx512BW.IsSupported)
        {
            for (; i <= count - Vector512<float>.Count; i += Vector512<float>.Count)
            {
                Bf16Rounding.Round(Vector512.Load(from + i)).Store(to + i);
            }
        }

        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            Round(Vector.Load(from + i)).Store(to + i);
        }

        for (; i < count; i++)
        {
            to[i] = Round(from[i]);
        }
    }

    /// <summary>Rounds a row whose pairs lie side by side and exchanges them; a last odd element stays.</summary>
    /// <remarks>A pair of floats is one number of 64 bits, and exchanging them a rotation by 32.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RoundExchanged(float* from, int count, float* to)
    {
        var i = 0;
        if (Avx512BW.IsSupported)
        {
            for (; i <= count - Vector512<float>.Count; i += Vector512<float>.Count)
            {
                var rounded = Bf16Rounding.Round(Vector512.Load(from + i));
                Avx512F.RotateLeft(rounded.AsUInt64(), 32).Store((ulong*)(to + i));
            }
        }

        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            var pair = Round(Vector.Load(from + i)).As<float, ulong>();
            (Vector.ShiftLeft(pair, 32) | Vector.ShiftRightLogical(pair, 32)).Store((ulong*)(to + i));
        }

        for (; i < count; i++)
        {
            to[(i ^ 1) < count ? i ^ 1 : i] = Round(from[i]);
        }
    }

    /// <summary>The same for a row in bf16, which is rounded already.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void WidenExchanged(ushort* from, int count, float* to)
    {
        var i = 0;
        if (Avx512BW.IsSupported)
        {
            for (; i <= count - Vector512<float>.Count; i += Vector512<float>.Count)
            {
                var wide = Avx512F.ConvertToVector512UInt32(Vector256.Load(from + i));
                Avx512F.RotateLeft(Vector512.ShiftLeft(wide, 16).AsUInt64(), 32).Store((ulong*)(to + i));
            }
        }

        for (; i < count; i++)
        {
            to[(i ^ 1) < count ? i ^ 1 : i] = DTypes.WidenBFloat16(from[i]);
        }
    }

    /// <summary>Rounds two rows that hold the elements of pairs, in place, and exchanges them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void RoundExchanged(float* even, float* odd, int count)
    {
        var i = 0;
        if (Avx512BW.IsSupported)
        {
            for (; i <= count - Vector512<float>.Count; i += Vector512<float>.Count)
            {
                var rounded = Bf16Rounding.Round(Vector512.Load(even + i));
                Bf16Rounding.Round(Vector512.Load(odd + i)).Store(even + i);
                rounded.Store(odd + i);
            }
        }

        for (; i < count; i += Vector<float>.Count)
        {
            var rounded = Round(Vector.Load(even + i));
            Round(Vector.Load(odd + i)).Store(even + i);
            rounded.Store(odd + i);
        }
    }

    private static float Round(float value) => DTypes.WidenBFloat16(Bf16Rounding.Round(value));

    /// <summary>The rule of <see cref="Bf16Rounding"/>, the results as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Round(Vector<float> values)
    {
        var isNumber = Vector.Equals(values, values).As<int, uint>();
        var bits = values.As<float, uint>();
        var even = Vector.ShiftRightLogical(bits, 16) & Vector<uint>.One;
        var nearest = Vector.ConditionalSelect(
            isNumber, bits + even + new Vector<uint>(0x7FFF), bits | new Vector<uint>(0x400000))
            & new Vector<uint>(0xFFFF0000);
        var rounded = nearest.As<uint, float>();
        var isSmall = Vector.LessThan(Vector.Abs(rounded), new Vector<float>(Bf16Rounding.Least));
        return Vector.ConditionalSelect(isSmall, Vector<float>.Zero, rounded);
    }
}
