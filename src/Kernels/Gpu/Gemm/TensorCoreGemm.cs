using ILGPU;
using ILGPU.Runtime.Cuda;

namespace SafeLlama.Kernels;

/// <summary>The bf16 matrix product on tensor cores, for compute capability 8.0 and later.</summary>
/// <remarks>
/// <code>
/// c[m,n]  = scale · ( Σ_k a(m,k) · b(n,k) + Σ_j a₂(m,j) · b₂(n,j) ) + bias[n], and its epilogue
///           operands bf16; sums fp32; c bf16 or fp32
/// </code>
/// The second pair is there for LoRA: its K is the rank, one or a few steps more, and y is written once.
/// A group of 8 warps computes a tile of 128 × 128; a warp 64 × 32 of it, kept in registers that are named in PTX
/// (<see cref="MmaPtx"/>). Three stages of 32 along k wait in shared memory: while one is multiplied, the next
/// two are on their way (<c>cp.async</c>). Chunks of 16 bytes are swizzled so that neither filling nor
/// <c>ldmatrix</c> meets a bank twice (<see cref="SharedTile"/>). What lies past an edge is filled with zeros.
/// </remarks>
internal sealed class TensorCoreGemm
{
    /// <summary>Threads in a group.</summary>
    public const int Threads = 256;

    /// <summary>Rows and columns of c per group.</summary>
    public const int Side = 128;

    /// <summary>How much of k a stage holds.</summary>
    public const int StepK = 32;

    /// <summary>a's tile and b's tile, 128 × 32 bf16 each.</summary>
    public const uint TileBytes = Side * StepK * 2;
    private const uint StageBytes = 2 * TileBytes;
    private const uint Stages = 3;

    private readonly GpuKernel _nt;
    private readonly GpuKernel _nn;
    private readonly GpuKernel _tn;

    public TensorCoreGemm(GpuDevice device)
    {
        GpuKernel Product(Type layout) =>
            new(device, typeof(TensorCoreGemm), nameof(ProductKernel), StageBytes * Stages, layout);
        (_nt, _nn, _tn) = (Product(typeof(GemmNT)), Product(typeof(GemmNN)), Product(typeof(GemmTN)));
    }

    /// <summary>
    /// Whether a product can be computed here: operands bf16, and rows that are whole chunks of 16 bytes.
    /// </summary>
    public static bool Supports(Tensor a, Tensor b, ProductForm form) =>
        IsChunked(a) && IsChunked(b) && form.Dropped is Dropped.Nothing or Dropped.Result
        && (form.TransposeA == 0 || form.TransposeB != 0);

    /// <param name="a2">The second pair, stored as the first is, or null.</param>
    public void Launch(
        Tensor a, Tensor b, Tensor? a2, Tensor? b2, in Epilogue epilogue, Tensor c, ProductForm form,
        Dropout dropout = default)
    {
        var kernel = form.TransposeA != 0 ? _tn : form.TransposeB != 0 ? _nn : _nt;
        var groups = new Index2D(((form.Columns - 1) / Side) + 1, ((form.Rows - 1) / Side) + 1);
        kernel.Launch(
            groups,
            new GemmOperands(
                Operand(a, form.K), Operand(b, form.K), Operand(a2 ?? a, a2?.Columns ?? 0),
                Operand(b2 ?? b, a2?.Columns ?? 0)),
            epilogue.Bias, epilogue.Residual ?? epilogue.Gate ?? c, c,
            epilogue.Gated ?? c, form, new GpuDropout(dropout));
    }

    /// <summary>One kernel for every layout and form of result.</summary>
    internal static void ProductKernel<TC, TLayout>(
        GemmOperands operands, GpuWeights bias, GpuMatrix<TC> beside, GpuResult<TC> c, GpuResult<TC> gated,
        ProductForm form, GpuDropout dropout)
        where TC : unmanaged, IGpuActivation<TC>
        where TLayout : unmanaged, IGemmLayout<TLayout>
    {
        CudaAsm.Emit(MmaPtx.Declare);
        var shared = SharedTile.Base();
        Fill<TLayout>(shared, 0, operands, form);
        Fill<TLayout>(shared, 1, operands, form);
        var steps = Steps(operands.A.K) + Steps(operands.A2.K);
        for (var step = 0; step < steps; step++)
        {
            var stage = Arrive(shared, step);
            Fill<TLayout>(shared, step + 2, operands, form);
            for (var half = 0; half < 2; half++)
            {
                Multiply<TLayout>(stage, half);
            }
        }

        WarpEpilogue.Store(
            shared, SharedMemory.GetDynamic<Floats4>(), bias, new ProductResult<TC>(beside, c, gated, form.End), form,
            dropout);
    }

    /// <summary>One step of 16 along k; which PTX it takes is known when the kernel is compiled.</summary>
    private static void Multiply<TLayout>(uint stage, int half)
        where TLayout : unmanaged, IGemmLayout<TLayout>
    {
        if (TLayout.TransposedA)
        {
            CudaAsm.Emit(
                MmaPtx.TN,
                SharedTile.ColumnsA(stage, half, 0), SharedTile.ColumnsA(stage, half, 1),
                SharedTile.ColumnsA(stage, half, 2), SharedTile.ColumnsA(stage, half, 3),
                SharedTile.ColumnsB(stage + TileBytes, half, 0), SharedTile.ColumnsB(stage + TileBytes, half, 1));
        }
        else if (TLayout.TransposedB)
        {
            CudaAsm.Emit(
                MmaPtx.NN,
                SharedTile.RowsA(stage, half, 0), SharedTile.RowsA(stage, half, 1),
                SharedTile.RowsA(stage, half, 2), SharedTile.RowsA(stage, half, 3),
                SharedTile.ColumnsB(stage + TileBytes, half, 0), SharedTile.ColumnsB(stage + TileBytes, half, 1));
        }
        else
        {
            CudaAsm.Emit(
                MmaPtx.NT,
                SharedTile.RowsA(stage, half, 0), SharedTile.RowsA(stage, half, 1),
                SharedTile.RowsA(stage, half, 2), SharedTile.RowsA(stage, half, 3),
                SharedTile.RowsB(stage + TileBytes, half, 0), SharedTile.RowsB(stage + TileBytes, half, 1));
        }
    }

    /// <summary>
    /// Requests a stage's two tiles without waiting. A step past the last requests nothing, but counts as one.
    /// </summary>
    private static void Fill<TLayout>(uint shared, int step, GemmOperands operands, ProductForm form)
        where TLayout : unmanaged, IGemmLayout<TLayout>
    {
        var (a, b, a2, b2) = operands;
        var (stageIndex, loraStep) = (step, step - Steps(a.K));
        if (loraStep >= 0)
        {
            (step, a, b) = (loraStep, a2, b2);
        }

        if (step * StepK < a.K)
        {
            // Stages take turns from the first step of the first pair to the last of the second.
            var stage = shared + ((uint)(stageIndex % (int)Stages) * StageBytes);
            SharedTile.Fill(stage, a, Grid.IdxY * Side, step * StepK, form.Rows, a.K, TLayout.TransposedA);
            SharedTile.Fill(
                stage + TileBytes, b, Grid.IdxX * Side, step * StepK, form.Columns, a.K, TLayout.TransposedB);
        }

        CudaAsm.Emit("cp.async.commit_group;");
    }

    /// <summary>Steps along k.</summary>
    public static int Steps(int depth) => (depth + StepK - 1) / StepK;

    /// <summary>
    /// Waits until all threads' parts of a step have arrived, and all have left the stage that is filled next.
    /// </summary>
    private static uint Arrive(uint shared, int step)
    {
        CudaAsm.Emit("cp.async.wait_group 1;");
        Group.Barrier();
        return shared + ((uint)(step % (int)Stages) * StageBytes);
    }

    /// <summary>Whether rows are whole chunks of bf16.</summary>
    public static bool IsChunked(Tensor tensor) =>
        tensor.Type == DType.BFloat16 && tensor.RowStride % 8 == 0 && tensor.Columns % 8 == 0
            && tensor.ByteOffset % 16 == 0;

    /// <summary>An operand by its address.</summary>
    public static GpuOperand Operand(Tensor tensor, int depth) =>
        new(((GpuMemory)tensor.Storage).Address(tensor.ByteOffset), tensor.RowStride, depth);
}

/// <summary>The operands of a product: a and b, then the pair of a LoRA term.</summary>
internal readonly record struct GemmOperands(GpuOperand A, GpuOperand B, GpuOperand A2, GpuOperand B2);

/// <summary>A bf16 matrix by its device address, for copies that C# cannot express.</summary>
/// <param name="Address">Of the first element, a multiple of 16.</param>
/// <param name="Stride">Elements from row to row, a multiple of 8.</param>
/// <param name="K">K of the product it takes part in.</param>
internal readonly record struct GpuOperand(long Address, int Stride, int K);
