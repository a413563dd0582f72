namespace SafeLlama.Kernels;

/// <summary>Packs a weight that is stored in blocks: decodes parts of rows and writes them to panels.</summary>
/// <remarks>
/// The layout is that of <see cref="PackedPanels{TLanes}"/>. It needs only a format's <see
/// cref="WeightFormat.Decode"/>.
/// </remarks>
internal static unsafe class DecodedPanels<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Elements of a row decoded at once.</summary>
    private const int PartColumns = 512;

    private static int Width => PackedPanels<TLanes>.Width;

    /// <summary>Packs as <see cref="PackedPanels{TLanes}.Pack"/> does.</summary>
    public static void Pack(
        in MatrixProduct p, int column, int columns, int step, int depth, float* panels, float* stage)
    {
        if (p.BIsTransposed)
        {
            Transpose(p, column, columns, step, depth, panels, stage);
        }
        else
        {
            Copy(p, column, columns, step, depth, panels, stage);
        }
    }

    /// <summary>Row k of the weight is row k of every panel.</summary>
    private static void Copy(
        in MatrixProduct p, int column, int columns, int step, int depth, float* panels, float* stage)
    {
        for (var k = 0; k < depth; k++)
        {
            for (var part = 0; part < columns; part += PartColumns)
            {
                var values = new Span<float>(stage, Math.Min(PartColumns, columns - part));
                p.DecodeB(step + k, column + part, values);
                for (var i = 0; i < values.Length; i += Width)
                {
                    var to = new Span<float>(panels + ((long)(part + i) * depth) + (k * Width), Width);
                    var count = Math.Min(Width, values.Length - i);
                    values.Slice(i, count).CopyTo(to);
                    to[count..].Clear();
                }
            }
        }
    }

    /// <summary>Row n of the weight is column n of its panel.</summary>
    private static void Transpose(
        in MatrixProduct p, int column, int columns, int step, int depth, float* panels, float* stage)
    {
        const int StageK = PackedPanels<TLanes>.StageK, StageStride = PackedPanels<TLanes>.StageStride;
        var padded = (columns + Width - 1) / Width * Width;
        for (var first = 0; first < padded; first += TLanes.Count)
        {
            var inPanel = first % Width;
            var to = panels + ((long)(first - inPanel) * depth) + inPanel;
            for (var k = 0; k < depth; k += StageK)
            {
                var steps = Math.Min(StageK, depth - k);
                for (var row = 0; row < TLanes.Count; row++)
                {
                    var values = new Span<float>(stage + (row * StageStride), (steps + 3) / 4 * 4);
                    var count = first + row < columns ? steps : 0;
                    if (count > 0)
                    {
                        p.DecodeB(column + first + row, step + k, values[..count]);
                    }

                    values[count..].Clear();
                }

                for (var at = 0; at < steps; at += 4, to += 4 * Width)
                {
                    TLanes.Transpose(stage + at, StageStride, to, Width);
                }
            }
        }
    }
}
