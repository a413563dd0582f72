using ILGPU.Runtime.Cuda;

namespace SafeLlama.Kernels;

/// <summary>
/// The products of attention, as many blocks of 32 columns as the head has. Each is executed by whole warps.
/// </summary>
internal static class FlashFragments
{
    /// <summary>a = the warp's 16 rows of 64 that stand in shared memory.</summary>
    public static void LoadRows<THead>(uint rows)
        where THead : unmanaged, IHeadSize<THead>
    {
        var place = Left<THead>(rows);
        CudaAsm.Emit(FlashPtx.LoadRows0, place);
        CudaAsm.Emit(FlashPtx.LoadRows1, place);
        if (THead.Columns > 64)
        {
            CudaAsm.Emit(FlashPtx.LoadRows2, place);
        }

        if (THead.Columns > 96)
        {
            CudaAsm.Emit(FlashPtx.LoadRows3, place);
        }
    }

    /// <summary>c = the same of a second operand.</summary>
    public static void LoadOthers<THead>(uint rows)
        where THead : unmanaged, IHeadSize<THead>
    {
        var place = Left<THead>(rows);
        CudaAsm.Emit(FlashPtx.LoadOthers0, place);
        CudaAsm.Emit(FlashPtx.LoadOthers1, place);
        if (THead.Columns > 64)
        {
            CudaAsm.Emit(FlashPtx.LoadOthers2, place);
        }

        if (THead.Columns > 96)
        {
            CudaAsm.Emit(FlashPtx.LoadOthers3, place);
        }
    }

    /// <summary>s = a · tileᵀ, 16 × 32 for each warp.</summary>
    public static void Scores<THead>(uint tile)
        where THead : unmanaged, IHeadSize<THead>
    {
        var (near, far) = (Right<THead>(tile, 0), Right<THead>(tile, 16));
        CudaAsm.Emit(FlashPtx.ClearScores);
        CudaAsm.Emit(FlashPtx.Scores0, near, far);
        CudaAsm.Emit(FlashPtx.Scores1, near, far);
        if (THead.Columns > 64)
        {
            CudaAsm.Emit(FlashPtx.Scores2, near, far);
        }

        if (THead.Columns > 96)
        {
            CudaAsm.Emit(FlashPtx.Scores3, near, far);
        }
    }

    /// <summary>t = c · tileᵀ.</summary>
    public static void Others<THead>(uint tile)
        where THead : unmanaged, IHeadSize<THead>
    {
        var (near, far) = (Right<THead>(tile, 0), Right<THead>(tile, 16));
        CudaAsm.Emit(FlashPtx.ClearOthers);
        CudaAsm.Emit(FlashPtx.Others0, near, far);
        CudaAsm.Emit(FlashPtx.Others1, near, far);
        if (THead.Columns > 64)
        {
            CudaAsm.Emit(FlashPtx.Others2, near, far);
        }

        if (THead.Columns > 96)
        {
            CudaAsm.Emit(FlashPtx.Others3, near, far);
        }
    }

    /// <summary>o += s · tile, s rounded to bf16; 16 rows of the head's size for each warp.</summary>
    public static void Gather<THead>(uint tile)
        where THead : unmanaged, IHeadSize<THead>
    {
        var (near, far) = (Across<THead>(tile, 0), Across<THead>(tile, 16));
        CudaAsm.Emit(FlashPtx.Round);
        CudaAsm.Emit(FlashPtx.Gather0, near, far);
        CudaAsm.Emit(FlashPtx.Gather1, near, far);
        if (THead.Columns > 64)
        {
            CudaAsm.Emit(FlashPtx.Gather2, near, far);
        }

        if (THead.Columns > 96)
        {
            CudaAsm.Emit(FlashPtx.Gather3, near, far);
        }
    }

    /// <summary>o = 0.</summary>
    public static void ClearResult<THead>()
        where THead : unmanaged, IHeadSize<THead>
    {
        CudaAsm.Emit(FlashResultPtx.ClearResult0);
        CudaAsm.Emit(FlashResultPtx.ClearResult1);
        if (THead.Columns > 64)
        {
            CudaAsm.Emit(FlashResultPtx.ClearResult2);
        }

        if (THead.Columns > 96)
        {
            CudaAsm.Emit(FlashResultPtx.ClearResult3);
        }
    }

    /// <summary>o = w · o, row by row.</summary>
    public static void Rescale<THead>()
        where THead : unmanaged, IHeadSize<THead>
    {
        CudaAsm.Emit(FlashResultPtx.Rescale0);
        CudaAsm.Emit(FlashResultPtx.Rescale1);
        if (THead.Columns > 64)
        {
            CudaAsm.Emit(FlashResultPtx.Rescale2);
        }

        if (THead.Columns > 96)
        {
            CudaAsm.Emit(FlashResultPtx.Rescale3);
        }
    }

    /// <summary>Lays the warp's 16 rows of o out in shared memory, in bf16.</summary>
    public static void Store<THead>(uint rows)
        where THead : unmanaged, IHeadSize<THead>
    {
        var place = rows + ((uint)FlashTile.Row * FlashTile.Pitch<THead>()) + (uint)(2 * FlashTile.Column);
        var below = place + (8 * FlashTile.Pitch<THead>());
        CudaAsm.Emit(FlashResultPtx.Store0, place, below);
        CudaAsm.Emit(FlashResultPtx.Store1, place, below);
        if (THead.Columns > 64)
        {
            CudaAsm.Emit(FlashResultPtx.Store2, place, below);
        }

        if (THead.Columns > 96)
        {
            CudaAsm.Emit(FlashResultPtx.Store3, place, below);
        }
    }

    /// <summary>
    /// This lane's row of a left operand: the warp's rows 0 … 15, columns 0 …, then the same at columns 8 ….
    /// </summary>
    private static uint Left<THead>(uint rows)
        where THead : unmanaged, IHeadSize<THead>
    {
        var row = ((ILGPU.Group.IdxX >> 5) * 16) + (FlashTile.Lane & 15);
        return rows + ((uint)row * FlashTile.Pitch<THead>()) + (uint)(16 * (FlashTile.Lane >> 4));
    }

    /// <summary>
    /// This lane's row of a right operand read along its rows: two fragments of 8 rows, two halves of 16 columns.
    /// </summary>
    private static uint Right<THead>(uint tile, int first)
        where THead : unmanaged, IHeadSize<THead>
    {
        var row = first + (FlashTile.Lane & 7) + (8 * (FlashTile.Lane >> 4));
        return tile + ((uint)row * FlashTile.Pitch<THead>()) + (uint)(16 * ((FlashTile.Lane >> 3) & 1));
    }

    /// <summary>This lane's row of a right operand read across its rows: 16 rows, two fragments of 8 columns.</summary>
    private static uint Across<THead>(uint tile, int first)
        where THead : unmanaged, IHeadSize<THead>
    {
        var row = first + (FlashTile.Lane & 15);
        return tile + ((uint)row * FlashTile.Pitch<THead>()) + (uint)(16 * (FlashTile.Lane >> 4));
    }
}
