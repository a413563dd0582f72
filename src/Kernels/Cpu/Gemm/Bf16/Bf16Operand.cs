using System.Runtime.CompilerServices;

namespace SafeLlama.Kernels;

/// <summary>The activations of a product, rounded to bf16 once for all columns.</summary>
/// <remarks>
/// Rows keep their form, an odd number of cache lines apart so that they share no sets. Where k runs down the columns
/// of A (the gradient of a weight) they become panels [rows / 12, steps, 12] of pairs.
/// </remarks>
internal readonly unsafe struct Bf16Operand
{
    private const int RowsTogether = 48;

    private readonly byte* _data;
    private readonly int _steps;

    private Bf16Operand(byte* data, TileForm form, nint rowBytes, int steps)
    {
        _data = data;
        (Form, RowBytes, _steps) = (form, rowBytes, steps);
    }

    public TileForm Form { get; }

    /// <summary>Bytes from row to row, where A has the form of rows.</summary>
    public nint RowBytes { get; }

    /// <summary>Rounds the A of p on the pool's threads; one that is bf16 already may stay where it lies.</summary>
    public static Bf16Operand Round(in MatrixProduct p, TilePool pool, GrowingScratch scratch)
    {
        var form = p.AStepStride == 1 ? TileForm.Rows : TileForm.Panels;
        var steps = Bf16Panels.Steps(p.K);
        if (p.AIsBFloat16 && form == TileForm.Rows && 2 * steps == p.K)
        {
            return new((byte*)p.A, form, 2 * p.ARowStride, steps);
        }

        var stride = form == TileForm.Rows ? Stride(p.K) : 0;
        var blocks = (p.Rows + TileCode.Rows - 1) / TileCode.Rows;
        var bytes = form == TileForm.Rows ? 2L * p.Rows * stride : (long)blocks * TileCode.APanelBytes * steps;
        var data = (byte*)scratch.Floats((bytes + sizeof(float) - 1) / sizeof(float));
        var operand = new Bf16Operand(data, form, 2 * stride, steps);
        var together = RowsTogether / TileCode.Rows;
        pool.For(
            (blocks + together - 1) / together,
            (p, operand, together),
            static (in op, part) => op.operand.Round(op.p, op.together * part, op.together));
        return operand;
    }

    /// <summary>Where row <paramref name="row"/>, a multiple of 12, and <paramref name="k"/> stand.</summary>
    public byte* At(int row, int k) => Form == TileForm.Rows
        ? _data + (row * RowBytes) + (2 * k)
        : _data + ((long)row / TileCode.Rows * _steps * TileCode.APanelBytes) + (k / 2 * TileCode.APanelBytes);

    /// <summary>Fetches a share of the next rows of A into L2 while a panel is computed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PrefetchRows(int row, int end, (int First, int Count) k, (int Index, int Count) panel)
    {
        if (Form != TileForm.Rows || row >= end)
        {
            return;
        }

        var lines = ((2 * k.Count) + Prefetch.Line - 1) / Prefetch.Line;
        var (first, last) = (panel.Index * lines / panel.Count, (panel.Index + 1) * lines / panel.Count);
        var from = At(row, k.First);
        for (var i = Math.Min(TileCode.Rows, end - row); i > 0; i--, from += RowBytes)
        {
            for (var line = first; line < last; line++)
            {
                Prefetch.ToL2(from + (line * Prefetch.Line));
            }
        }
    }

    /// <summary>Rounds some blocks of twelve rows.</summary>
    private void Round(in MatrixProduct p, int block, int count)
    {
        var blocks = (p.Rows + TileCode.Rows - 1) / TileCode.Rows;
        var end = Math.Min(blocks, block + count);
        if (Form == TileForm.Panels)
        {
            if (p.AIsBFloat16)
            {
                Bf16Interleaving.PackA((ushort*)p.A, p.AStepStride, p.Rows, p.K, (block, end), (uint*)_data);
                return;
            }

            Bf16Interleaving.PackA(p.A, p.AStepStride, p.Rows, p.K, (block, end), (uint*)_data);
            return;
        }

        for (var row = block * TileCode.Rows; row < Math.Min(p.Rows, end * TileCode.Rows); row++)
        {
            if (p.AIsBFloat16)
            {
                var to = new Span<ushort>(_data + (row * RowBytes), 2 * _steps);
                new ReadOnlySpan<ushort>((ushort*)p.A + (row * p.ARowStride), p.K).CopyTo(to);
                to[p.K..].Clear();
                continue;
            }

            Bf16Rounding.RoundRow(
                p.A + (row * p.ARowStride), p.K, (ushort*)(_data + (row * RowBytes)), 2 * _steps);
        }
    }

    /// <summary>Elements from row to row: room for whole steps, and an odd number of lines of 32 elements.</summary>
    private static int Stride(int k) => ((k + 2 + 31) / 32 | 1) * 32;
}
