using ILGPU;
using ILGPU.Runtime.Cuda;

namespace SafeLlama.Kernels;

/// <summary><see cref="TensorCoreGemm"/> with a frozen weight of blocks, decoded while its tiles are filled.</summary>
/// <remarks>
/// <code>
/// y   =  x Wᵀ [+ u (s B)ᵀ],  dx  =  dy W [+ du A]          W in blocks; the rest bf16, sums fp32
/// </code>
/// A chunk of 16 bytes in shared memory is eight neighbors of a row of W in either layout. A thread reads two such
/// eights of blocks, decodes them to the very fp32 numbers that they stand for, rounds these to bf16 as any operand is
/// rounded, and stores them: two stages of b are enough, since none is on its way. Those of a are copied as
/// <see cref="TensorCoreGemm"/> copies them, three of them. W is read from memory as it is stored and never written.
/// </remarks>
internal sealed class TensorCoreBlockGemm
{
    private const int Side = TensorCoreGemm.Side;
    private const int StepK = TensorCoreGemm.StepK;
    private const uint TileBytes = TensorCoreGemm.TileBytes;
    private const uint StagesA = 3;
    private const uint StagesB = 2;

    private readonly GpuKernel _nt;
    private readonly GpuKernel _nn;

    public TensorCoreBlockGemm(GpuDevice device)
    {
        GpuKernel Product(Type layout) =>
            new(device, typeof(TensorCoreBlockGemm), nameof(ProductKernel), (StagesA + StagesB) * TileBytes, layout);
        (_nt, _nn) = (Product(typeof(GemmNT)), Product(typeof(GemmNN)));
    }

    /// <summary>Whether b is a weight of blocks that can be computed with here.</summary>
    public static bool Supports(Tensor a, Tensor b, ProductForm form) =>
        b.Type == DType.Blocks && TensorCoreGemm.IsChunked(a) && form is { Dropped: Dropped.Nothing, TransposeA: 0 };

    /// <param name="a2">The second pair, bf16, or null.</param>
    public void Launch(Tensor a, Tensor b, Tensor? a2, Tensor? b2, in Epilogue epilogue, Tensor c, ProductForm form)
    {
        var groups = new Index2D(((form.Columns - 1) / Side) + 1, ((form.Rows - 1) / Side) + 1);
        (form.TransposeB != 0 ? _nn : _nt).Launch(
            groups,
            new BlockOperands(
                TensorCoreGemm.Operand(a, form.K), TensorCoreGemm.Operand(a2 ?? a, a2?.Columns ?? 0)),
            b, b2 ?? a, epilogue.Bias, epilogue.Residual ?? epilogue.Gate ?? c, c, epilogue.Gated ?? c, form);
    }

    /// <summary>One kernel for every form of blocks, layout and form of result.</summary>
    internal static void ProductKernel<TC, TBlocks, TLayout>(
        BlockOperands operands, GpuMatrix<TBlocks> b, GpuMatrix<GpuBFloat16> b2, GpuWeights bias,
        GpuMatrix<TC> beside, GpuResult<TC> c, GpuResult<TC> gated, ProductForm form)
        where TC : unmanaged, IGpuActivation<TC>
        where TBlocks : unmanaged, IGpuBlocks<TBlocks>
        where TLayout : unmanaged, IFrozenLayout<TLayout>
    {
        CudaAsm.Emit(MmaPtx.Declare);
        var shared = SharedTile.Base();
        var (first, second) = (TensorCoreGemm.Steps(operands.A.K), TensorCoreGemm.Steps(operands.A2.K));
        FillA(shared, 0, operands, form);
        FillA(shared, 1, operands, form);
        FillB<TBlocks, TLayout>(shared, 0, operands, b, b2, form);
        for (var step = 0; step < first + second; step++)
        {
            CudaAsm.Emit("cp.async.wait_group 1;");
            Group.Barrier();
            FillA(shared, step + 2, operands, form);
            FillB<TBlocks, TLayout>(shared, step + 1, operands, b, b2, form);
            var (stageA, stageB) = (StageA(shared, step), StageB(shared, step));
            for (var half = 0; half < 2; half++)
            {
                Multiply<TLayout>(stageA, stageB, half);
            }
        }

        WarpEpilogue.Store(
            shared, SharedMemory.GetDynamic<Floats4>(), bias, new ProductResult<TC>(beside, c, gated, form.End), form,
            default);
    }

    private static void Multiply<TLayout>(uint stageA, uint stageB, int half)
        where TLayout : unmanaged, IFrozenLayout<TLayout>
    {
        if (TLayout.TransposedB)
        {
            CudaAsm.Emit(
                MmaPtx.NN,
                SharedTile.RowsA(stageA, half, 0), SharedTile.RowsA(stageA, half, 1),
                SharedTile.RowsA(stageA, half, 2), SharedTile.RowsA(stageA, half, 3),
                SharedTile.ColumnsB(stageB, half, 0), SharedTile.ColumnsB(stageB, half, 1));
        }
        else
        {
            CudaAsm.Emit(
                MmaPtx.NT,
                SharedTile.RowsA(stageA, half, 0), SharedTile.RowsA(stageA, half, 1),
                SharedTile.RowsA(stageA, half, 2), SharedTile.RowsA(stageA, half, 3),
                SharedTile.RowsB(stageB, half, 0), SharedTile.RowsB(stageB, half, 1));
        }
    }

    /// <summary>Requests a step's tile of a without waiting; a step past the last requests nothing, but
    /// counts.</summary>
    private static void FillA(uint shared, int step, BlockOperands operands, ProductForm form)
    {
        var (a, at) = (operands.A, step);
        if (step >= TensorCoreGemm.Steps(operands.A.K))
        {
            (a, at) = (operands.A2, step - TensorCoreGemm.Steps(operands.A.K));
        }

        if (at * StepK < a.K)
        {
            SharedTile.Fill(StageA(shared, step), a, Grid.IdxY * Side, at * StepK, form.Rows, a.K, columns: false);
        }

        CudaAsm.Emit("cp.async.commit_group;");
    }

    /// <summary>Stores a step's tile of b, decoded; a step past the last stores nothing.</summary>
    private static void FillB<TBlocks, TLayout>(
        uint shared, int step, BlockOperands operands, GpuMatrix<TBlocks> b, GpuMatrix<GpuBFloat16> b2,
        ProductForm form)
        where TBlocks : unmanaged, IGpuBlocks<TBlocks>
        where TLayout : unmanaged, IFrozenLayout<TLayout>
    {
        var (stage, later) = (StageB(shared, step), step - TensorCoreGemm.Steps(operands.A.K));
        if (later < 0)
        {
            Store<TBlocks, TLayout>(stage, b, step * StepK, form.Columns, operands.A.K, Group.IdxX);
            Store<TBlocks, TLayout>(
                stage, b, step * StepK, form.Columns, operands.A.K, Group.IdxX + TensorCoreGemm.Threads);
        }
        else if (later * StepK < operands.A2.K)
        {
            Store<GpuBFloat16, TLayout>(stage, b2, later * StepK, form.Columns, operands.A2.K, Group.IdxX);
            Store<GpuBFloat16, TLayout>(
                stage, b2, later * StepK, form.Columns, operands.A2.K, Group.IdxX + TensorCoreGemm.Threads);
        }
    }

    /// <summary>Stores chunk e of a tile: eight neighbors of a row, zeros where they lie outside.</summary>
    private static void Store<T, TLayout>(uint tile, GpuMatrix<T> from, int firstK, int count, int depth, int e)
        where T : unmanaged, IGpuStored<T>
        where TLayout : unmanaged, IFrozenLayout<TLayout>
    {
        var first = Grid.IdxX * Side;
        var (row, column, rows, columns) = TLayout.TransposedB
            ? (firstK + (e >> 4), first + (8 * (e & 15)), depth, count)
            : (first + (e >> 2), firstK + (8 * (e & 3)), count, depth);
        var place = TLayout.TransposedB ? SharedTile.ColumnPlace(e >> 4, e & 15) : SharedTile.RowPlace(e >> 2, e & 3);
        var values = row < rows && column < columns ? from.Load(row, column, columns) : Float8.All(0f);
        var packed = GpuBFloat16.Pack(values);
        CudaAsm.Emit("st.shared.v4.b32 [%0], {%1,%2,%3,%4};", tile + place, packed.A, packed.B, packed.C, packed.D);
    }

    private static uint StageA(uint shared, int step) => shared + ((uint)(step % (int)StagesA) * TileBytes);

    private static uint StageB(uint shared, int step) =>
        shared + ((StagesA + (uint)(step % (int)StagesB)) * TileBytes);
}

/// <summary>The operands that are copied as they are: a, then that of a LoRA term.</summary>
internal readonly record struct BlockOperands(GpuOperand A, GpuOperand A2);
