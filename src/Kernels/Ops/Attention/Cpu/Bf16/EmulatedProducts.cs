namespace SafeLlama.Kernels;

/// <summary>
/// The same by the fp32 tiles: operands are rounded floats, the two elements of every pair exchanged.
/// </summary>
/// <remarks>As in <see cref="Bf16Emulation"/>, every sum then runs in the order 1, 0, 3, 2, …</remarks>
internal readonly unsafe struct EmulatedProducts<TLanes> : IAttentionProducts
    where TLanes : struct, ILanes<TLanes>
{
    private const int Queries = QueryBlock<TLanes>.Queries;

    public static int ElementBytes => sizeof(float);

    public static bool CopiesRows => true;

    public void CopyRows(ushort* rows, nint stride, int count, int columns, byte* to)
    {
        for (var row = 0; row < count; row++)
        {
            Bf16Emulation.WidenExchanged(rows + (row * stride), columns, (float*)to + ((long)row * columns));
        }
    }

    public void PackColumns(ushort* rows, nint stride, int count, int columns, float* spare, byte* to)
    {
        CopyRows(rows, stride, count, columns, (byte*)spare);
        QueryBlock<TLanes>.Transpose(spare, columns, count, columns, (float*)to);
    }

    public void PackRows(ushort* rows, nint stride, int count, in PackedRows to)
    {
        for (var row = 0; row < (count + 3) / 4 * 4; row++)
        {
            var place = (float*)to.Start + ((long)(row ^ 1) * to.Columns);
            if (row < count)
            {
                Bf16Rows.Widen(rows + (row * stride), to.Columns, place);
            }
            else
            {
                new Span<float>(place, to.Columns).Clear();
            }
        }
    }

    public byte* At(in PackedRows rows, int row) => rows.Pointer + ((long)row * rows.Columns * sizeof(float));

    public void RoundForKeys(float* values, int keys, byte* to)
    {
        QueryBlock<TLanes>.Copy(values, keys * Queries, (float*)to);
        Bf16Emulation.RoundPanels((float*)to, 1, keys, Queries);
    }

    public void RoundForQueries(float* values, int keys, byte* to) =>
        Bf16Emulation.RoundExchanged(values, keys * Queries, (float*)to);

    public void Scores(
        byte* rows, nint stride, int count, int columns, byte* packed, float scale, float* edge, float* scores) =>
        QueryBlock<TLanes>.Scores((float*)rows, stride, count, (float*)packed, columns, scale, edge, scores);

    public void SumOverKeys(byte* p, (PackedRows Packed, int First) rows, int keys, float scale, float* c, bool add)
    {
        var t = new MicroKernelOperands
        {
            A = (float*)p,
            RowStride = 1,
            StepStride = Queries,
            B = (float*)At(rows.Packed, rows.First),
            PanelStride = rows.Packed.Columns,
            K = keys,
            Scale = scale,
            C = c,
            CStride = rows.Packed.Columns,
        };
        QueryBlock<TLanes>.Multiply(t, Queries, rows.Packed.Columns, add);
    }

    public void SumOverQueries(byte* p, in PackedRows rows, int keys, float scale, float* c)
    {
        var t = new MicroKernelOperands
        {
            A = (float*)p,
            RowStride = Queries,
            StepStride = 1,
            B = (float*)rows.Pointer,
            PanelStride = rows.Columns,
            K = Queries,
            Scale = scale,
            C = c,
            CStride = rows.Columns,
        };
        QueryBlock<TLanes>.Multiply(t, keys, rows.Columns, add: true);
    }
}
