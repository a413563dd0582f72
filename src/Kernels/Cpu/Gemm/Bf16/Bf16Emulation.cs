using System.Numerics;
using System.Runtime.CompilerServices;

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

                for (var i = 0; i < width; i += Vector<float>.Count)
                {
                    var even = Round(Vector.Load(panels + i));
                    Round(Vector.Load(panels + width + i)).Store(panels + i);
                    even.Store(panels + width + i);
                }
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
            static (in op, part) => RoundRows(op.p, op.rounded, part * RowsTogether));
        return rounded;
    }

    private static void RoundRows(in MatrixProduct p, in MatrixProduct rounded, int first)
    {
        var alongRows = p.AStepStride == 1;
        var (rows, columns) = alongRows ? (p.Rows, p.K) : (p.K, p.Rows);
        for (var row = first; row < Math.Min(rows, first + RowsTogether); row++)
        {
            if (alongRows)
            {
                var to = rounded.A + (row * rounded.ARowStride);
                RoundRow(p, row * p.ARowStride, columns, to);
                ExchangePairs(to, columns);
            }
            else
            {
                var other = (row ^ 1) < rows ? row ^ 1 : row;
                RoundRow(p, row * p.AStepStride, columns, rounded.A + (other * rounded.AStepStride));
            }
        }
    }

    /// <summary>A run of A; what is kept in bf16 is rounded already.</summary>
    private static void RoundRow(in MatrixProduct p, nint at, int count, float* to)
    {
        if (p.AIsBFloat16)
        {
            Bf16Rows.Widen((ushort*)p.A + at, count, to);
        }
        else
        {
            RoundRow(p.A + at, count, to);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RoundRow(float* from, int count, float* to)
    {
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            Round(Vector.Load(from + i)).Store(to + i);
        }

        for (; i < count; i++)
        {
            to[i] = DTypes.WidenBFloat16(Bf16Rounding.Round(from[i]));
        }
    }

    /// <summary>A pair of floats is one number of 64 bits, and exchanging them a rotation by 32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ExchangePairs(float* row, int count)
    {
        var pairs = (ulong*)row;
        var i = 0;
        for (; i <= (count / 2) - Vector<ulong>.Count; i += Vector<ulong>.Count)
        {
            var pair = Vector.Load(pairs + i);
            (Vector.ShiftLeft(pair, 32) | Vector.ShiftRightLogical(pair, 32)).Store(pairs + i);
        }

        for (; i < count / 2; i++)
        {
            pairs[i] = BitOperations.RotateLeft(pairs[i], 32);
        }
    }

    /// <summary>The rule of <see cref="Bf16Rounding"/>, the results as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Round(Vector<float> values)
    {
        var isNumber = Vector.Equals(values, values).As<int, uint>();
        var isSmall = Vector.LessThan(Vector.Abs(values), new Vector<float>(Bf16Rounding.Least));
        var bits = Vector.ConditionalSelect(isSmall, Vector<float>.Zero, values).As<float, uint>();
        var even = Vector.ShiftRightLogical(bits, 16) & Vector<uint>.One;
        var rounded = bits + even + new Vector<uint>(0x7FFF);
        var nan = bits | new Vector<uint>(0x400000);
        return (Vector.ConditionalSelect(isNumber, rounded, nan) & new Vector<uint>(0xFFFF0000)).As<uint, float>();
    }
}
