using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SafeLlama.Kernels;

/// <summary>By the bf16 tiles: operands are dwords, each a pair along the index that is summed.</summary>
/// <remarks>
/// <code>
/// rows summed along their columns     as they lie
/// PackColumns                         [columns / 2, 32] dwords
/// PackRows                            panels of 32 columns, each [rows / 2, 32] dwords
/// RoundForKeys, RoundForQueries       [keys / 2, 32] dwords, [keys, 32] elements
/// </code>
/// </remarks>
internal readonly unsafe struct InstructionProducts(Bf16Tiles tiles) : IAttentionProducts
{
    private const int Queries = QueryBlock<Lanes512>.Queries;
    private const int Width = TileCode.Columns;

    public static int ElementBytes => sizeof(ushort);

    public static bool CopiesRows => false;

    public void CopyRows(ushort* rows, nint stride, int count, int columns, byte* to) =>
        throw new NotSupportedException("The tile reads rows where they lie.");

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void PackColumns(ushort* rows, nint stride, int count, int columns, float* spare, byte* to)
    {
        var panel = (uint*)to;
        for (var i = 0; i < Queries; i += Lanes512.Count)
        {
            var from = rows + (i * stride);
            if (count - i >= Lanes512.Count && stride % 2 == 0)
            {
                for (var e = 0; e < columns; e += 8)
                {
                    Lanes512.Transpose(
                        (float*)(from + e), stride / 2, (float*)(panel + (e / 2 * Queries) + i), Queries);
                }

                continue;
            }

            for (var row = 0; row < Lanes512.Count; row++)
            {
                for (var e = 0; e < columns; e += 2)
                {
                    panel[(e / 2 * Queries) + i + row] = i + row < count
                        ? from[(row * stride) + e] | ((uint)from[(row * stride) + e + 1] << 16) : 0;
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void PackRows(ushort* rows, nint stride, int count, in PackedRows to)
    {
        var panelSize = to.Count / 2 * Width;
        for (var row = 0; row < count; row += 2, rows += 2 * stride)
        {
            for (var column = 0; column < to.Columns; column += Lanes512.Count)
            {
                var place = (uint*)to.Start + (column / Width * panelSize) + (row / 2 * Width) + (column % Width);
                var even = Vector512.WidenLower(Vector256.Load(rows + column).ToVector512Unsafe());
                var odd = row + 1 < count
                    ? Vector512.WidenLower(Vector256.Load(rows + stride + column).ToVector512Unsafe())
                    : Vector512<uint>.Zero;
                (even | Vector512.ShiftLeft(odd, 16)).Store(place);
            }
        }

        for (var step = (count + 1) / 2; step < (count + 3) / 4 * 2; step++)
        {
            for (var panel = 0; panel < to.Columns; panel += Width)
            {
                new Span<uint>((uint*)to.Start + (panel / Width * panelSize) + (step * Width), Width).Clear();
            }
        }
    }

    public byte* At(in PackedRows rows, int row) => rows.Pointer + (row / 2 * TileCode.StepBytes);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void RoundForKeys(float* values, int keys, byte* to)
    {
        var pairs = (uint*)to;
        for (var key = 0; key < keys; key += 2, values += 2 * Queries, pairs += Queries)
        {
            for (var i = 0; i < Queries; i += Lanes512.Count)
            {
                Bf16Rounding.RoundPairs(Vector512.Load(values + i), Vector512.Load(values + Queries + i))
                    .Store(pairs + i);
            }
        }
    }

    public void RoundForQueries(float* values, int keys, byte* to) =>
        Bf16Rounding.RoundRow(values, keys * Queries, (ushort*)to, keys * Queries);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Scores(
        byte* rows, nint stride, int count, int columns, byte* packed, float scale, float* edge, float* scores)
    {
        var t = new TileArguments
        {
            A = rows,
            ARowBytes = sizeof(ushort) * stride,
            B = packed,
            BEnd = packed + (columns / 2 * TileCode.StepBytes),
            C = scores,
            CRowBytes = sizeof(float) * Queries,
            Scale = scale,
        };
        Multiply(TileForm.Rows, ref t, count, Queries, 0, add: false);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void SumOverKeys(byte* p, (PackedRows Packed, int First) rows, int keys, float scale, float* c, bool add)
    {
        var b = At(rows.Packed, rows.First);
        var t = new TileArguments
        {
            A = p,
            B = b,
            BEnd = b + (keys / 2 * TileCode.StepBytes),
            C = c,
            CRowBytes = sizeof(float) * rows.Packed.Columns,
            Scale = scale,
        };
        Multiply(TileForm.Scores, ref t, Queries, rows.Packed.Columns, rows.Packed.Count / 2, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void SumOverQueries(byte* p, in PackedRows rows, int keys, float scale, float* c)
    {
        var t = new TileArguments
        {
            A = p,
            ARowBytes = sizeof(ushort) * Queries,
            B = rows.Pointer,
            BEnd = rows.Pointer + (Queries / 2 * TileCode.StepBytes),
            C = c,
            CRowBytes = sizeof(float) * rows.Columns,
            Scale = scale,
        };
        Multiply(TileForm.Rows, ref t, keys, rows.Columns, rows.Count / 2, add: true);
    }

    /// <param name="t">The first tile.</param>
    /// <param name="panelSteps">Steps from panel to panel of B.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Multiply(TileForm form, ref TileArguments t, int rows, int columns, int panelSteps, bool add)
    {
        var (a, b, end, c) = ((nint)t.A, (nint)t.B, (nint)t.BEnd, (nint)t.C);
        t.LastMask = 0xFFFF;
        t.AddendRowBytes = t.CRowBytes;
        fixed (TileArguments* arguments = &t)
        {
            for (var column = 0; column < columns; column += Width)
            {
                var panel = (nint)column / Width * panelSteps * TileCode.StepBytes;
                arguments->B = (byte*)(b + panel);
                arguments->BEnd = (byte*)(end + panel);
                for (var row = 0; row < rows; row += TileCode.Rows)
                {
                    arguments->A = (byte*)(a + (form == TileForm.Rows ? row * t.ARowBytes : row * sizeof(uint)));
                    arguments->C = (float*)(c + (row * t.CRowBytes) + (column * sizeof(float)));
                    arguments->Addend = add ? arguments->C : null;
                    tiles.Multiply(
                        form, Math.Min(TileCode.Rows, rows - row), columns - column >= Width ? 2 : 1, arguments);
                }
            }
        }
    }
}
