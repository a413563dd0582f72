using ILGPU;

namespace SafeLlama.Kernels;

/// <summary>
/// A LoRA term as products on a device; dropout is applied as operands are read, so no mask is stored.
/// </summary>
/// <remarks>
/// <para>u = x Aᵀ and du = dy B read x and dy once, with A and B as they are, fp32 (<see cref="GpuGemv"/>), up to
/// rank 16; above it A and B are rounded to bf16 for tensor cores.</para>
/// <para>Tensor cores read whole chunks of eight numbers and know no dropout. Where the rank is no multiple of 8, u, du
/// and the rounded adapters are copied with zeros behind them; where x is dropped, what is kept of it is copied, some
/// rows at a time, and 1 / (1 − p) is a factor of the product, so a copy holds the very numbers of x.</para>
/// <para>Beside a frozen product in bf16, y += s · u Bᵀ and dx += du A are a few steps more of that product's sum, so y
/// and dx are written once. For it s · B and A are rounded to bf16, to nearest even, as every operand of a tensor core
/// is (and as autocast rounds them elsewhere): 2⁻⁹ of a number that is itself a small correction. The masters, their
/// gradients and their moments stay fp32.</para>
/// </remarks>
internal sealed class LoraGpu : IDisposable
{
    private readonly GpuGemm _gemm;
    private readonly GpuKernel _round;
    private readonly GpuKernel _transpose;
    private readonly GpuKernel _keep;
    private readonly GpuScratch _rounded;
    private readonly GpuScratch _transposed;
    private readonly GpuScratch _chunked;
    private readonly GpuScratch _kept;

    public LoraGpu(GpuDevice device, GpuGemm gemm)
    {
        _gemm = gemm;
        _round = new(device, typeof(LoraGpu), nameof(RoundKernel));
        _transpose = new(device, typeof(LoraGpu), nameof(TransposeKernel));
        _keep = new(device, typeof(LoraGpu), nameof(KeepKernel));
        (_rounded, _transposed) = (new(device, "an adapter in bf16"), new(device, "an adapter, transposed"));
        (_chunked, _kept) = (new(device, "x Aᵀ in whole chunks"), new(device, "what dropout keeps"));
    }

    /// <summary>The most that is copied of what dropout keeps, at a time.</summary>
    public int KeptBytes { get; set; } = 64 << 20;

    public long HeldScratch => _rounded.ByteCount + _transposed.ByteCount + _chunked.ByteCount + _kept.ByteCount;

    /// <summary>The most that copies take.</summary>
    public long ScratchBytes(in WorkSize work, DType activation)
    {
        var (rank, columns) = ((long)WholeChunks(work.Rank), (long)WholeChunks(work.Columns));
        var transposed = rank * columns * DType.Float32.Size();
        if (activation != DType.BFloat16)
        {
            return transposed;
        }

        var kept = work.Drops ? Math.Min((long)work.Rows, Math.Max(1, KeptBytes / (2 * columns))) * columns : 0;
        return transposed + (((rank * (columns + work.Rows)) + kept) * DType.BFloat16.Size());
    }

    public void Dispose()
    {
        _rounded.Dispose();
        _transposed.Dispose();
        _chunked.Dispose();
        _kept.Dispose();
    }

    /// <summary>Whether activations and u are what tensor cores take, u once it is in whole chunks.</summary>
    public bool CanFuse(Tensor x, Tensor u) =>
        _gemm.HasTensorCores && x.Type == DType.BFloat16 && u.Type == DType.BFloat16;

    /// <summary>u = drop(x) Aᵀ.</summary>
    public void DownProject(Tensor x, in LoraTerm lora) => DownProject(x, lora.A, lora.Dropout, lora.U);

    /// <summary>y += s · u Bᵀ.</summary>
    public void UpProject(in LoraTerm lora, Tensor y) =>
        _gemm.Launch(lora.U, lora.B, y, ProductForm.NT.Added with { Scale = (float)lora.Scale });

    /// <summary>u and s · B as a frozen product takes them into its sums, y = x Wᵀ + u (s B)ᵀ.</summary>
    public (Tensor U, Tensor B) ForwardOperands(in LoraTerm lora) =>
        (Chunked(lora.U), Round(lora.B, (float)lora.Scale, lora.B.Rows, WholeChunks(lora.B.Columns)));

    /// <summary>du and A as a frozen product takes them into its sums, dx = dy W + du A.</summary>
    public (Tensor Du, Tensor A) BackwardOperands(in LoraTerm lora, Tensor du) =>
        (Chunked(du), Round(lora.A, 1, WholeChunks(lora.A.Rows), lora.A.Columns));

    /// <summary>du, dA and dB; where dx is given, drop′(du A) is added to it.</summary>
    public void Backward(Tensor dy, Tensor x, in LoraTerm lora, in LoraGradients into, Tensor? dx)
    {
        var (scale, du) = ((float)lora.Scale, into.U);
        DownProject(dy, Transpose(lora.B), Dropout.None, du, scale);
        _gemm.Launch(dy, Chunked(lora.U), into.B, ProductForm.TN.Added with { Scale = scale });
        AddToA(Chunked(du), x, lora.Dropout, into.A);
        if (dx is not null)
        {
            var form = ProductForm.NN.Added with { Dropped = Dropped.Result };
            var chunked = Chunked(du);
            var fuses = IsForTensorCores(dx) && du.Type == DType.BFloat16;
            var factors = fuses ? Round(lora.A, 1, chunked.Columns, lora.A.Columns) : lora.A;
            _gemm.Launch(fuses ? chunked : du, factors, dx, form, dropout: lora.Dropout);
        }
    }

    /// <summary>u = scale · drop(x) Aᵀ.</summary>
    private void DownProject(Tensor x, Tensor a, Dropout dropout, Tensor u, float scale = 1)
    {
        var form = ProductForm.NT with { Scale = scale };
        if (a.Rows <= 2 * GpuGemv.MaxRows || !IsForTensorCores(x))
        {
            var dropped = dropout.IsActive ? Dropped.A : Dropped.Nothing;
            _gemm.Launch(x, a, u, form with { Dropped = dropped }, dropout: dropout);
            return;
        }

        var rounded = Round(a, 1, a.Rows, a.Columns);
        foreach (var (first, kept) in Kept(x, dropout))
        {
            _gemm.Launch(kept, rounded, u.Slice(first, kept.Rows), Kept(form, dropout));
        }
    }

    /// <summary>dA += duᵀ drop(x).</summary>
    private void AddToA(Tensor du, Tensor x, Dropout dropout, Tensor da)
    {
        var form = ProductForm.TN.Added;
        if (!IsForTensorCores(x) || !IsForTensorCores(du))
        {
            _gemm.Launch(du, x, da, form with { Dropped = Dropped.TransposedB }, dropout: dropout);
            return;
        }

        foreach (var (first, kept) in Kept(x, dropout))
        {
            _gemm.Launch(du.Slice(first, kept.Rows), kept, da, Kept(form, dropout));
        }
    }

    private bool IsForTensorCores(Tensor x) =>
        _gemm.HasTensorCores && x.Type == DType.BFloat16 && x.Columns % Float8.Count == 0;

    /// <summary>
    /// x itself where nothing is dropped; else parts of its rows, each valid until the next is asked for, with zeros
    /// where dropout falls.
    /// </summary>
    private IEnumerable<(int First, Tensor Rows)> Kept(Tensor x, Dropout dropout)
    {
        if (!dropout.IsActive)
        {
            yield return (0, x);
            yield break;
        }

        var rows = Math.Max(1, KeptBytes / (x.Columns * x.Type.Size()));
        for (var first = 0; first < x.Rows; first += rows)
        {
            var part = x.Slice(first, Math.Min(rows, x.Rows - first));
            var kept = _kept.Take(new(part.Rows, part.Columns), x.Type, x.Name);
            var mask = new GpuDropout(dropout) with { KeptScale = 1 };
            _keep.LaunchRows(part.Rows, part.Columns, part, first, part.Columns, mask, kept);
            yield return (first, kept);
        }
    }

    /// <summary>What was kept counts 1 / (1 − p) times.</summary>
    private static ProductForm Kept(ProductForm form, Dropout dropout) =>
        dropout.IsActive ? form with { Scale = form.Scale * dropout.KeptScale } : form;

    /// <summary>u or du in rows of whole chunks; a copy, where its rank is no multiple of 8.</summary>
    private Tensor Chunked(Tensor u) =>
        u.Type != DType.BFloat16 || !_gemm.SupportsPadding || u.Columns % Float8.Count == 0
        ? u
        : Round(u, 1, u.Rows, WholeChunks(u.Columns), _chunked);

    private static int WholeChunks(int rank) => (rank + Float8.Count - 1) / Float8.Count * Float8.Count;

    /// <summary>factor · x in bf16, with zeros behind its rows and columns.</summary>
    private Tensor Round(Tensor x, float factor, int rows, int columns, GpuScratch? scratch = null)
    {
        var rounded = (scratch ?? _rounded).Take(new(rows, columns), DType.BFloat16, x.Name);
        _round.LaunchRows(rows, columns, x, factor, x.Rows, x.Columns, columns, rounded);
        return rounded;
    }

    /// <summary>[R, O] of [O, R].</summary>
    private Tensor Transpose(Tensor x)
    {
        var transposed = _transposed.Take(new(x.Columns, x.Rows), x.Type, x.Name);
        _transpose.LaunchRows(transposed.Rows, transposed.Columns, x, transposed.Columns, transposed);
        return transposed;
    }

    /// <summary>A row of the result per x, parts of a row along y; what x does not have is zero.</summary>
    internal static void RoundKernel<T>(
        GpuMatrix<T> x, float factor, int rows, int columns, int width, GpuResult<GpuBFloat16> rounded)
        where T : unmanaged, IGpuActivation<T>
    {
        var (row, threads) = (Grid.IdxX, Grid.DimY * Group.DimX);
        var end = row < rows ? columns : 0;
        for (var i = Float8.Count * ((Grid.IdxY * Group.DimX) + Group.IdxX); i < width; i += Float8.Count * threads)
        {
            rounded.Store(row, i, width, factor * x.Load(row, i, end));
        }
    }

    /// <summary>A row per x, parts of a row along y: x where dropout keeps it, else zero.</summary>
    internal static void KeepKernel(
        GpuMatrix<GpuBFloat16> x, int first, int columns, GpuDropout mask, GpuResult<GpuBFloat16> kept)
    {
        var (row, threads) = (Grid.IdxX, Grid.DimY * Group.DimX);
        for (var i = Float8.Count * ((Grid.IdxY * Group.DimX) + Group.IdxX); i < columns; i += Float8.Count * threads)
        {
            var factors = mask.Factors(((first + (long)row) * columns) + i);
            kept.Store(row, i, columns, factors * x.Load(row, i, columns));
        }
    }

    /// <summary>A row of the result per x, parts of it along y. Adapters are small: they are read from cache.</summary>
    internal static void TransposeKernel(GpuMatrix<GpuFloat32> x, int columns, GpuResult<GpuFloat32> transposed)
    {
        var row = Grid.IdxX;
        for (var i = (Grid.IdxY * Group.DimX) + Group.IdxX; i < columns; i += Grid.DimY * Group.DimX)
        {
            transposed[row, i] = x[i, row];
        }
    }
}
