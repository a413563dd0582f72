using System.Buffers.Binary;

namespace SafeLlama.Kernels.Tests;

/// <summary>The instructions that a warp executes as one: matrix loads and matrix products.</summary>
internal static class PtxWarp
{
    /// <summary>
    /// <c>ldmatrix.x4</c>: lanes 8 i … 8 i + 7 give the addresses of the rows of matrix i (8 × 8 of 16 bits); lane l
    /// receives elements 2 (l mod 4) and the next of row l / 4, or of column l / 4 where turned.
    /// </summary>
    public static void LoadMatrices(
        PtxThread[] lanes, PtxShared shared, int[] targets, Func<PtxThread, long> address, bool turned)
    {
        for (var matrix = 0; matrix < 4; matrix++)
        {
            var places = new uint[8];
            var rows = new ushort[8, 8];
            for (var row = 0; row < 8; row++)
            {
                var lane = lanes[(8 * matrix) + row];
                places[row] = (uint)address(lane);
                var bytes = shared.Read(lane, places[row], 16);
                for (var column = 0; column < 8; column++)
                {
                    rows[row, column] = BinaryPrimitives.ReadUInt16LittleEndian(bytes[(2 * column)..]);
                }
            }

            shared.CountBanks(places, 16);
            for (var l = 0; l < 32; l++)
            {
                var (row, column) = (l / 4, 2 * (l % 4));
                var (low, high) = turned
                    ? (rows[column, row], rows[column + 1, row])
                    : (rows[row, column], rows[row, column + 1]);
                lanes[l].Write(targets[matrix], low | ((ulong)high << 16));
            }
        }
    }

    /// <summary>
    /// <c>mma.m16n8k16</c> with bf16 operands. With g = l / 4 and t = l mod 4, lane l holds a at rows g and g + 8,
    /// columns 2t and 2t + 8; b at rows 2t and 2t + 8, column g; c and d at rows g and g + 8, column 2t; each with its
    /// neighbor.
    /// </summary>
    public static void Multiply(PtxThread[] lanes, int[] d, int[] a, int[] b, int[] c)
    {
        var (left, right) = (new float[16, 16], new float[16, 8]);
        for (var l = 0; l < 32; l++)
        {
            var (g, t) = (l / 4, 2 * (l % 4));
            for (var pair = 0; pair < 2; pair++)
            {
                left[g, t + pair] = Half(lanes[l].Read(a[0]), pair);
                left[g + 8, t + pair] = Half(lanes[l].Read(a[1]), pair);
                left[g, t + 8 + pair] = Half(lanes[l].Read(a[2]), pair);
                left[g + 8, t + 8 + pair] = Half(lanes[l].Read(a[3]), pair);
                right[t + pair, g] = Half(lanes[l].Read(b[0]), pair);
                right[t + 8 + pair, g] = Half(lanes[l].Read(b[1]), pair);
            }
        }

        for (var l = 0; l < 32; l++)
        {
            for (var e = 0; e < 4; e++)
            {
                var (row, column) = ((l / 4) + (8 * (e / 2)), (2 * (l % 4)) + (e % 2));
                double sum = PtxArithmetic.Float(lanes[l].Read(c[e]));
                for (var k = 0; k < 16; k++)
                {
                    sum += (double)left[row, k] * right[k, column];
                }

                lanes[l].Write(d[e], PtxArithmetic.Bits((float)sum));
            }
        }
    }

    /// <summary>
    /// <c>shfl.sync.bfly</c>: lane l receives what lane l ⊕ distance gives. The clamp of whole warps is 31; all lanes
    /// are members.
    /// </summary>
    public static void Exchange(
        PtxThread[] lanes, Action<PtxThread, ulong> target, Func<PtxThread, ulong> source,
        Func<PtxThread, ulong> distance, Func<PtxThread, ulong> clamp, Func<PtxThread, ulong> members)
    {
        var given = Array.ConvertAll(lanes, lane => source(lane));
        for (var l = 0; l < lanes.Length; l++)
        {
            if ((uint)clamp(lanes[l]) != 31 || (uint)members(lanes[l]) != uint.MaxValue)
            {
                throw new PtxFault(lanes[l], "shuffles within a part of its warp");
            }

            target(lanes[l], given[l ^ (int)distance(lanes[l])]);
        }
    }

    private static float Half(ulong register, int which) =>
        DTypes.WidenBFloat16((ushort)(register >> (16 * which)));
}
