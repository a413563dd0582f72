using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>
/// Packs a block of B in the order in which the tile reads it: panels [depth, <see cref="Width"/>] of floats, one after
/// another.
/// </summary>
/// <remarks>
/// A packed block stays in the L2 cache while all rows of A use it. Stored types are widened here once for all rows.
/// Columns beyond the last are zero.
/// </remarks>
internal static unsafe class PackedPanels<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Steps of k staged at once where a weight must be widened before it is transposed.</summary>
    public const int StageK = 128;

    /// <summary>A little more than <see cref="StageK"/>, or rows 512 bytes apart would share cache sets.</summary>
    public const int StageStride = StageK + 16;

    /// <summary>Columns of a panel.</summary>
    public static int Width => 2 * TLanes.Count;

    /// <summary>Floats that packing needs beside the panels, and after them.</summary>
    public static int Slack => (TLanes.Count * StageStride) + (4 * Width);

    /// <summary>Packs columns <paramref name="column"/> … and steps <paramref name="step"/> … of B.</summary>
    public static void Pack(
        in MatrixProduct p, int column, int columns, int step, int depth, float* panels, float* stage)
    {
        switch (p.BType)
        {
            case DType.BFloat16:
                Pack<StoredBFloat16>(p, column, columns, step, depth, panels, stage);
                break;
            case DType.Float16:
                Pack<StoredFloat16>(p, column, columns, step, depth, panels, stage);
                break;
            case DType.Float32:
                Pack<StoredFloat32>(p, column, columns, step, depth, panels, stage);
                break;
            default:
                DecodedPanels<TLanes>.Pack(p, column, columns, step, depth, panels, stage);
                break;
        }
    }

    /// <summary>The same as <see cref="Bf16Emulation"/> reads it: rounded, the steps of every pair exchanged.</summary>
    /// <param name="p">The product.</param>
    /// <param name="column">The first column of B.</param>
    /// <param name="columns">How many.</param>
    /// <param name="step">The first k, an even number.</param>
    /// <param name="depth">How many; the last of an odd number stays where it is.</param>
    /// <param name="panels">[columns / <see cref="Width"/>, depth, Width], and room for three steps behind.</param>
    /// <param name="stage">Room for rows that are widened before they are transposed.</param>
    public static void PackRounded(
        in MatrixProduct p, int column, int columns, int step, int depth, float* panels, float* stage)
    {
        if (p.BType == DType.BFloat16)
        {
            Pack<PairedBFloat16>(p, column, columns, step, depth, panels, stage);
            return;
        }

        Pack(p, column, columns, step, depth, panels, stage);
        Bf16Emulation.RoundPanels(panels, (columns + Width - 1) / Width, depth, Width);
    }

    /// <summary>Packs all of a small B: panels of its columns, each as deep as B.</summary>
    /// <param name="scale">Multiplies what is packed.</param>
    /// <returns>The panels, valid until the scratch is used again.</returns>
    public static float* PackAll(in MatrixProduct p, GrowingScratch scratch, float scale = 1)
    {
        var count = (p.Columns + Width - 1) / Width * Width * p.K;
        var panels = scratch.Floats(count + Slack);
        Pack(p, 0, p.Columns, 0, p.K, panels, panels + count + (4 * Width));
        for (var i = 0; i < count && scale != 1; i += TLanes.Count)
        {
            TLanes.Store(panels + i, TLanes.Multiply(TLanes.Load(panels + i), TLanes.Broadcast(scale)));
        }

        return panels;
    }

    private static void Pack<TStored>(
        in MatrixProduct p, int column, int columns, int step, int depth, float* panels, float* stage)
        where TStored : struct, IStored
    {
        var stride = p.BStride * TStored.Size;
        if (p.BIsTransposed)
        {
            Transpose<TStored>(p.BAt(column, step), stride, columns, depth, panels, stage);
        }
        else
        {
            Copy<TStored>(p.BAt(step, column), stride, columns, depth, panels);
        }
    }

    /// <summary>Row k of the source is row k of every panel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Copy<TStored>(byte* source, nint stride, int columns, int depth, float* panels)
        where TStored : struct, IStored
    {
        // Eight rows of a panel at a time: few enough lines to stay in L1, long enough runs to write.
        const int Rows = 8;
        for (var first = 0; first < depth; first += Rows)
        {
            var last = Math.Min(depth, first + Rows);
            for (var column = 0; column < columns; column += Width)
            {
                var from = source + (first * stride) + (column * TStored.Size);
                var panel = panels + ((long)column * depth);
                for (var k = first; k < last; k++, from += stride)
                {
                    var to = panel + (At<TStored>(k, depth) * Width);
                    if (columns - column >= Width)
                    {
                        Prefetch.ToL1(from + (Rows * stride));
                        Prefetch.ToL1(from + (Rows * stride) + (TLanes.Count * TStored.Size));
                        TLanes.Store(to, TStored.Load<TLanes>(from));
                        TLanes.Store(to + TLanes.Count, TStored.Load<TLanes>(from + (TLanes.Count * TStored.Size)));
                    }
                    else
                    {
                        Load<TStored>(from, columns - column, to, Width);
                    }
                }
            }
        }
    }

    /// <summary>Row n of the source is column n of its panel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transpose<TStored>(
        byte* source, nint stride, int columns, int depth, float* panels, float* stage)
        where TStored : struct, IStored
    {
        var padded = (columns + Width - 1) / Width * Width;
        for (var column = 0; column < padded; column += TLanes.Count)
        {
            var inPanel = column % Width;
            var to = panels + ((long)(column - inPanel) * depth) + inPanel;
            var rows = Math.Clamp(columns - column, 0, TLanes.Count);
            for (var step = 0; step < depth; step += StageK)
            {
                var steps = Math.Min(StageK, depth - step);
                var from = source + (column * stride) + (step * TStored.Size);
                var ready = typeof(TStored) == typeof(StoredFloat32) && rows == TLanes.Count && steps % 4 == 0;
                if (!ready)
                {
                    Stage<TStored>(from, stride, rows, steps, stage);
                }

                var block = ready ? (float*)from : stage;
                var blockStride = ready ? stride / sizeof(float) : StageStride;
                for (var k = 0; k < steps; k += 4, to += 4 * Width)
                {
                    if (ready)
                    {
                        PrefetchNextRows(block, blockStride, k);
                    }

                    TLanes.Transpose(block + k, blockStride, to, Width, TStored.InPairs ? 1 : 0);
                }
            }

            // The last of an odd number of steps was exchanged with the zeros behind the panel.
            if (TStored.InPairs && (depth & 1) != 0)
            {
                var end = panels + ((long)(column - inPanel) * depth) + inPanel + ((long)depth * Width);
                TLanes.Store(end - Width, TLanes.Load(end));
            }
        }
    }

    /// <summary>Where step k of a panel is written; the last of an odd number has no other to exchange with.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int At<TStored>(int k, int depth)
        where TStored : struct, IStored => TStored.InPairs && (k ^ 1) < depth ? k ^ 1 : k;

    /// <summary>Every fourth call in turn asks for the line at k of four of the next rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PrefetchNextRows(float* block, nint stride, int k)
    {
        var next = block + ((TLanes.Count + (k & 12)) * stride) + (k & ~15);
        for (var row = 0; row < 4; row++)
        {
            Prefetch.ToL1(next + (row * stride));
        }
    }

    /// <summary>
    /// Stages a vector's worth of rows as floats; missing rows, and steps up to a multiple of four, are zero.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Stage<TStored>(byte* source, nint stride, int rows, int steps, float* stage)
        where TStored : struct, IStored
    {
        var padded = (steps + 3) / 4 * 4;
        for (var row = 0; row < TLanes.Count; row++, source += stride, stage += StageStride)
        {
            if (row < rows)
            {
                for (var ahead = 0; ahead < steps * TStored.Size; ahead += 64)
                {
                    Prefetch.ToL1(source + (TLanes.Count * stride) + ahead);
                }

                Load<TStored>(source, steps, stage, padded);
            }
            else
            {
                new Span<float>(stage, padded).Clear();
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Load<TStored>(byte* source, int count, float* destination, int padded)
        where TStored : struct, IStored
    {
        var i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count)
        {
            TLanes.Store(destination + i, TStored.Load<TLanes>(source + (i * TStored.Size)));
        }

        for (; i < count; i++)
        {
            destination[i] = TStored.LoadOne(source + (i * TStored.Size));
        }

        for (; i < padded; i++)
        {
            destination[i] = 0;
        }
    }
}
