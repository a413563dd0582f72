using ILGPU;

namespace SafeLlama.Kernels;

/// <summary>The matrix product of Linear on any device; on tensor cores where they support it.</summary>
/// <remarks>
/// <code>
/// c[m,n]  = scale · Σ_k a(m,k) · b(n,k) + bias[n], and its epilogue
/// a(m,k)  = a[m,k], or a[k,m] where transposed; b likewise
/// </code>
/// A square thread group of side s computes a tile of side 4 s; each thread keeps 4 × 4 sums in registers. Tiles of a
/// and b, 16 deep, pass through shared memory. Every sum runs over k from first to last, whatever the group's size.
/// </remarks>
internal sealed class GpuGemm(GpuDevice device, CublasGemm? cublas = null)
{
    /// <summary>How much of k is in shared memory at a time.</summary>
    private const int StepK = 16;

    /// <summary>
    /// The side of the largest tile, and one column more so that threads that walk along k meet no bank twice.
    /// </summary>
    private const int MaxPitch = 64 + 1;

    private readonly GpuKernel _product = new(device, typeof(GpuGemm), nameof(ProductKernel));
    private readonly TensorCoreGemm? _tensorCores = device.HasTensorCores ? new(device) : null;
    private readonly TensorCoreBlockGemm? _blocks = device.HasTensorCores ? new(device) : null;
    private readonly GpuGemv _gemv = new(device);
    private readonly int _side = (int)Math.Sqrt(device.GroupSize);

    /// <summary>Queues the product.</summary>
    /// <param name="a">[M, K], or [K, M] where transposed.</param>
    /// <param name="b">[N, K], or [K, N] where transposed.</param>
    /// <param name="c">[M, N].</param>
    /// <param name="form">Which operands are transposed, and what becomes of the sums.</param>
    /// <param name="epilogue">What the sums meet on their way out; a gate where <see cref="CanGate"/> says so.</param>
    /// <param name="dropout">Factors of the operand or result that <paramref name="form"/> names.</param>
    public void Launch(
        Tensor a, Tensor b, Tensor c, ProductForm form, Epilogue epilogue = default, Dropout dropout = default)
    {
        form = Complete(form, a, c, epilogue) with
        {
            Dropped = dropout.IsActive ? form.Dropped : Dropped.Nothing,
        };
        if (cublas is not null && CublasGemm.Supports(a, b, epilogue.Residual ?? c, c, form))
        {
            cublas.Launch(a, b, epilogue.Residual ?? c, c, form);
            return;
        }

        if (form is { TransposeA: 0, TransposeB: 0, Dropped: Dropped.Nothing or Dropped.A }
            && dropout.IsActive == (form.Dropped == Dropped.A))
        {
            if (c.Rows <= GpuGemv.MaxRows && !dropout.IsActive)
            {
                _gemv.Launch(a, b, epilogue, c, transposed: false, form, dropout);
                return;
            }

            if (c.Columns <= 2 * GpuGemv.MaxRows && epilogue.Bias is null && IsActivation(b))
            {
                _gemv.Launch(b, a, epilogue, c, transposed: true, form, dropout);
                return;
            }
        }

        if (_tensorCores is not null && TensorCoreGemm.Supports(a, b, form))
        {
            _tensorCores.Launch(a, b, null, null, epilogue, c, form, dropout);
            return;
        }

        if (_blocks is not null && TensorCoreBlockGemm.Supports(a, b, form))
        {
            _blocks.Launch(a, b, null, null, epilogue, c, form);
            return;
        }

        var tile = 4 * _side;
        var groups = new Index2D(((c.Columns - 1) / tile) + 1, ((c.Rows - 1) / tile) + 1);
        _product.Launch(groups, a, b, epilogue.Bias, epilogue.Residual ?? c, c, form, new GpuDropout(dropout));
    }

    /// <summary>
    /// Queues c = a bᵀ + a₂ b₂ᵀ (or a b + a₂ b₂) in one pass over c, where <see cref="CanAppend"/> says so.
    /// </summary>
    /// <param name="a2">[M, R] bf16, R a multiple of 8.</param>
    /// <param name="b2">[N, R] bf16, or [R, N] where b is transposed.</param>
    /// <param name="epilogue">As <see cref="Launch"/> takes it.</param>
    public void LaunchWith(
        Tensor a, Tensor b, Tensor a2, Tensor b2, Tensor c, ProductForm form, Epilogue epilogue = default)
    {
        form = Complete(form, a, c, epilogue);
        if (b.Type == DType.Blocks)
        {
            _blocks!.Launch(a, b, a2, b2, epilogue, c, form);
        }
        else
        {
            _tensorCores!.Launch(a, b, a2, b2, epilogue, c, form);
        }
    }

    /// <summary>Whether a second product of few steps can be part of the sums of this one.</summary>
    public bool CanAppend(Tensor a, Tensor b, Tensor c, ProductForm form) =>
        cublas is null && c.Rows > GpuGemv.MaxRows && IsForTensorCores(a, b, form);

    /// <summary>Whether the epilogue of c = a bᵀ may have a gate: on tensor cores, and in decoding.</summary>
    public bool CanGate(Tensor a, Tensor b, Tensor c) => cublas is null && (c.Rows <= GpuGemv.MaxRows
        || IsForTensorCores(a, b, ProductForm.NT));

    /// <summary>Whether an operand may be wider than the sums it takes part in, with zeros or nothing of use.</summary>
    public bool SupportsPadding => HasTensorCores && cublas is null;

    /// <summary>Whether tensor cores are there at all.</summary>
    public bool HasTensorCores => _tensorCores is not null;

    private bool IsForTensorCores(Tensor a, Tensor b, ProductForm form) =>
        HasTensorCores && (TensorCoreGemm.Supports(a, b, form) || TensorCoreBlockGemm.Supports(a, b, form));

    private static ProductForm Complete(ProductForm form, Tensor a, Tensor c, in Epilogue epilogue) =>
        form with
        {
            End = epilogue.Residual is not null ? ProductEnd.Add
                : epilogue.Gate is not null ? ProductEnd.Gate
                : form.End,
            Rows = c.Rows,
            Columns = c.Columns,
            K = form.TransposeA != 0 ? a.Rows : a.Columns,
            HasBias = epilogue.Bias is null ? 0 : 1,
        };

    private static bool IsActivation(Tensor tensor) => tensor.Type is DType.Float32 or DType.BFloat16;

    /// <summary>A thread group per tile of c; x walks along columns of c, y along rows.</summary>
    internal static void ProductKernel<TA, TB, TC>(
        GpuMatrix<TA> a, GpuMatrix<TB> b, GpuWeights bias, GpuMatrix<TC> beside, GpuResult<TC> c, ProductForm form,
        GpuDropout dropout)
        where TA : unmanaged, IGpuActivation<TA>
        where TB : unmanaged, IGpuStored<TB>
        where TC : unmanaged, IGpuActivation<TC>
    {
        var tileA = SharedMemory.Allocate<float>(StepK * MaxPitch);
        var tileB = SharedMemory.Allocate<float>(StepK * MaxPitch);
        var side = SquareRoot(Group.DimX);
        var (x, y, size) = (Group.IdxX % side, Group.IdxX / side, 4 * side);
        var pitch = size + 1;
        var (firstRow, firstColumn) = (Grid.IdxY * size, Grid.IdxX * size);
        Quad sum0 = default, sum1 = default, sum2 = default, sum3 = default;
        for (var firstK = 0; firstK < form.K; firstK += StepK)
        {
            for (var e = Group.IdxX; e < size * StepK; e += Group.DimX)
            {
                var (i, k) = form.TransposeA != 0 ? (e % size, e / size) : (e / StepK, e % StepK);
                var (m, atK) = (firstRow + i, firstK + k);
                var value = 0f;
                if (m < form.Rows && atK < form.K)
                {
                    value = form.TransposeA != 0 ? a[atK, m] : a[m, atK];
                    if (form.Dropped == Dropped.A)
                    {
                        value *= dropout.Factor(((long)m * form.K) + atK);
                    }
                }

                tileA[(k * pitch) + i] = value;
            }

            for (var e = Group.IdxX; e < size * StepK; e += Group.DimX)
            {
                var (j, k) = form.TransposeB != 0 ? (e % size, e / size) : (e / StepK, e % StepK);
                var (n, atK) = (firstColumn + j, firstK + k);
                var value = 0f;
                if (n < form.Columns && atK < form.K)
                {
                    value = form.TransposeB != 0 ? b[atK, n] : b[n, atK];
                    if (form.Dropped == Dropped.TransposedB)
                    {
                        value *= dropout.Factor(((long)atK * form.Columns) + n);
                    }
                }

                tileB[(k * pitch) + j] = value;
            }

            Group.Barrier();
            for (var k = 0; k < StepK; k++)
            {
                var (atA, atB) = ((k * pitch) + y, (k * pitch) + x);
                var right = new Quad(tileB[atB], tileB[atB + side], tileB[atB + (2 * side)], tileB[atB + (3 * side)]);
                sum0 = sum0.Plus(tileA[atA], right);
                sum1 = sum1.Plus(tileA[atA + side], right);
                sum2 = sum2.Plus(tileA[atA + (2 * side)], right);
                sum3 = sum3.Plus(tileA[atA + (3 * side)], right);
            }

            Group.Barrier();
        }

        StoreRow((firstRow + y, firstColumn + x), side, sum0, bias, beside, c, form, dropout);
        StoreRow((firstRow + y + side, firstColumn + x), side, sum1, bias, beside, c, form, dropout);
        StoreRow((firstRow + y + (2 * side), firstColumn + x), side, sum2, bias, beside, c, form, dropout);
        StoreRow((firstRow + y + (3 * side), firstColumn + x), side, sum3, bias, beside, c, form, dropout);
    }

    private static void StoreRow<TC>(
        (int Row, int Column) first, int side, Quad sums, GpuWeights bias, GpuMatrix<TC> beside, GpuResult<TC> c,
        ProductForm form, GpuDropout dropout)
        where TC : unmanaged, IGpuActivation<TC>
    {
        var (m, n) = first;
        Store(m, n, sums.A, bias, beside, c, form, dropout);
        Store(m, n + side, sums.B, bias, beside, c, form, dropout);
        Store(m, n + (2 * side), sums.C, bias, beside, c, form, dropout);
        Store(m, n + (3 * side), sums.D, bias, beside, c, form, dropout);
    }

    private static void Store<TC>(
        int m, int n, float sum, GpuWeights bias, GpuMatrix<TC> beside, GpuResult<TC> c, ProductForm form,
        GpuDropout dropout)
        where TC : unmanaged, IGpuActivation<TC>
    {
        if (m >= form.Rows || n >= form.Columns)
        {
            return;
        }

        var value = form.Scale * sum;
        if (form.HasBias != 0)
        {
            value += bias[n];
        }

        if (form.Dropped == Dropped.Result)
        {
            value *= dropout.Factor(((long)m * form.Columns) + n);
        }

        c[m, n] = form.End == ProductEnd.Add ? beside[m, n] + value : value;
    }

    /// <summary>Of 4, 16, 64 or 256.</summary>
    private static int SquareRoot(int group) => group <= 4 ? 2 : group <= 16 ? 4 : group <= 64 ? 8 : 16;

    /// <summary>Four sums in registers: arrays indexed by a loop would be a stack.</summary>
    private readonly record struct Quad(float A, float B, float C, float D)
    {
        public Quad Plus(float left, Quad right) =>
            new(A + (left * right.A), B + (left * right.B), C + (left * right.C), D + (left * right.D));
    }
}

/// <summary>The operand of a product that dropout applies to.</summary>
internal enum Dropped
{
    Nothing,

    /// <summary>a[m,k], not transposed.</summary>
    A,

    /// <summary>b[k,n], transposed.</summary>
    TransposedB,

    /// <summary>c[m,n], before it is added.</summary>
    Result,
}

/// <summary>The form of a product. Truths are 0 or 1: a kernel's parameters are numbers.</summary>
internal readonly record struct ProductForm(
    int TransposeA, int TransposeB, ProductEnd End, float Scale = 1, Dropped Dropped = Dropped.Nothing)
{
    public int Rows { get; init; }

    public int Columns { get; init; }

    public int K { get; init; }

    public int HasBias { get; init; }

    /// <summary>x Wᵀ, both read along their rows.</summary>
    public static ProductForm NT => new(0, 0, ProductEnd.Overwrite);

    /// <summary>dy W.</summary>
    public static ProductForm NN => new(0, 1, ProductEnd.Overwrite);

    /// <summary>dyᵀ x.</summary>
    public static ProductForm TN => new(1, 1, ProductEnd.Overwrite);

    public ProductForm Added => this with { End = ProductEnd.Add };
}
