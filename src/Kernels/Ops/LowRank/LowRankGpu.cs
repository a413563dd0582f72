using ILGPU;

namespace SafeLlama.Kernels;

/// <summary>
/// The four lines as products on a device; dropout is applied as operands are read, so no mask is stored.
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
public sealed class LowRankGpu : LowRank, IDisposable
{
    private readonly GpuGemm _product;
    private readonly GpuKernel _round;
    private readonly GpuKernel _turn;
    private readonly GpuKernel _keep;
    private readonly GpuScratch _rounded;
    private readonly GpuScratch _turned;
    private readonly GpuScratch _narrow;
    private readonly GpuScratch _kept;

    internal LowRankGpu(GpuDevice device, GpuGemm product)
    {
        _product = product;
        _round = new(device, typeof(LowRankGpu), nameof(RoundKernel));
        _turn = new(device, typeof(LowRankGpu), nameof(TurnKernel));
        _keep = new(device, typeof(LowRankGpu), nameof(KeepKernel));
        (_rounded, _turned) = (new(device, "an adapter in bf16"), new(device, "an adapter, turned"));
        (_narrow, _kept) = (new(device, "x Aᵀ in whole chunks"), new(device, "what dropout keeps"));
    }

    /// <summary>The most that is copied of what dropout keeps, at a time.</summary>
    internal int KeptBytes { get; set; } = 64 << 20;

    internal long HeldScratch => _rounded.ByteCount + _turned.ByteCount + _narrow.ByteCount + _kept.ByteCount;

    /// <summary>The most that copies take.</summary>
    internal long ScratchBytes(in WorkSize work, DType activation)
    {
        var (rank, columns) = ((long)Whole(work.Rank), (long)Whole(work.Columns));
        var turned = rank * columns * DType.Float32.Size();
        if (activation != DType.BFloat16)
        {
            return turned;
        }

        var kept = work.Drops ? Math.Min((long)work.Rows, Math.Max(1, KeptBytes / (2 * columns))) * columns : 0;
        return turned + (((rank * (columns + work.Rows)) + kept) * DType.BFloat16.Size());
    }

    public override void ForwardBeside(
        Linear linear, Tensor x, Tensor weight, Tensor? bias, Tensor? residual, Tensor a, Tensor b, double scale,
        Dropout dropout, Tensor u, Tensor y)
    {
        if (!TryJoin(x, weight, a, b, scale, dropout, u, y, new(bias, Residual: residual)))
        {
            base.ForwardBeside(linear, x, weight, bias, residual, a, b, scale, dropout, u, y);
        }
    }

    public override void ForwardBesideGated(
        Linear linear, Tensor x, Tensor weight, Tensor? bias, Tensor a, Tensor b, double scale, Dropout dropout,
        Tensor u, SwiGlu swiGlu, Tensor gate, Tensor y, Tensor product)
    {
        if (!TryJoin(x, weight, a, b, scale, dropout, u, y, new(bias, Gate: gate, Gated: product)))
        {
            base.ForwardBesideGated(
                linear, x, weight, bias, a, b, scale, dropout, u, swiGlu, gate, y, product);
        }
    }

    public override void BackwardBeside(
        Linear linear, Tensor dy, Tensor x, Tensor weight, Tensor a, Tensor b, double scale, Dropout dropout, Tensor u,
        Tensor du, Tensor da, Tensor db, Tensor? dx, bool accumulate)
    {
        // Dropped elements of du A are those of x: they cannot be part of a sum whose other part is not dropped.
        var form = accumulate ? ProductForm.RowsByColumns.Added : ProductForm.RowsByColumns;
        if (dx is null || dropout.IsActive || !Fuses(dy, du) || !_product.Joins(dy, weight, dx, form))
        {
            base.BackwardBeside(linear, dy, x, weight, a, b, scale, dropout, u, du, da, db, dx, accumulate);
            return;
        }

        Backward(dy, x, a, b, scale, dropout, u, du, da, db, dx: null);
        _product.LaunchWith(dy, weight, Chunked(du), Round(a, 1, Whole(a.Rows), a.Columns), dx, form);
    }

    public void Dispose()
    {
        _rounded.Dispose();
        _turned.Dispose();
        _narrow.Dispose();
        _kept.Dispose();
    }

    protected override void ForwardCore(Tensor x, Tensor a, Tensor b, double scale, Dropout dropout, Tensor u, Tensor y)
    {
        Down(x, a, dropout, u);
        Up(u, b, scale, y);
    }

    protected override void BackwardCore(
        Tensor dy, Tensor x, Tensor a, Tensor b, double scale, Dropout dropout, Tensor u, Tensor du, Tensor da,
        Tensor db, Tensor? dx)
    {
        Down(dy, Turn(b), Dropout.None, du, (float)scale);
        _product.Launch(dy, Chunked(u), db, ProductForm.ColumnsByColumns.Added with { Scale = (float)scale });
        AddToA(Chunked(du), x, dropout, da);
        if (dx is not null)
        {
            var form = ProductForm.RowsByColumns.Added with { Dropped = Dropped.Result };
            var chunked = Chunked(du);
            var fuses = IsForTensorCores(dx) && du.Type == DType.BFloat16;
            var factors = fuses ? Round(a, 1, chunked.Columns, a.Columns) : a;
            _product.Launch(fuses ? chunked : du, factors, dx, form, dropout: dropout);
        }
    }

    /// <summary>
    /// u, and y = x Wᵀ + u (s B)ᵀ with its epilogue in one pass over y; false where tensor cores cannot take it.
    /// </summary>
    private bool TryJoin(
        Tensor x, Tensor weight, Tensor a, Tensor b, double scale, Dropout dropout, Tensor u, Tensor y,
        in Epilogue epilogue)
    {
        if (!Fuses(x, u) || !_product.Joins(x, weight, y, ProductForm.RowsByRows))
        {
            return false;
        }

        Down(x, a, dropout, u);
        _product.LaunchWith(
            x, weight, Chunked(u), Round(b, (float)scale, b.Rows, Whole(b.Columns)), y, ProductForm.RowsByRows,
            epilogue);
        return true;
    }

    /// <summary>u = scale · drop(x) Aᵀ.</summary>
    private void Down(Tensor x, Tensor a, Dropout dropout, Tensor u, float scale = 1)
    {
        var form = ProductForm.RowsByRows with { Scale = scale };
        if (a.Rows <= 2 * GpuGemv.MaxRows || !IsForTensorCores(x))
        {
            var dropped = dropout.IsActive ? Dropped.A : Dropped.Nothing;
            _product.Launch(x, a, u, form with { Dropped = dropped }, dropout: dropout);
            return;
        }

        var rounded = Round(a, 1, a.Rows, a.Columns);
        foreach (var (first, kept) in Kept(x, dropout))
        {
            _product.Launch(kept, rounded, u.Slice(first, kept.Rows), Kept(form, dropout));
        }
    }

    /// <summary>dA += duᵀ drop(x).</summary>
    private void AddToA(Tensor du, Tensor x, Dropout dropout, Tensor da)
    {
        var form = ProductForm.ColumnsByColumns.Added;
        if (!IsForTensorCores(x) || !IsForTensorCores(du))
        {
            _product.Launch(du, x, da, form with { Dropped = Dropped.TransposedB }, dropout: dropout);
            return;
        }

        foreach (var (first, kept) in Kept(x, dropout))
        {
            _product.Launch(du.Slice(first, kept.Rows), kept, da, Kept(form, dropout));
        }
    }

    /// <summary>y += s · u Bᵀ.</summary>
    private void Up(Tensor u, Tensor b, double scale, Tensor y) =>
        _product.Launch(u, b, y, ProductForm.RowsByRows.Added with { Scale = (float)scale });

    /// <summary>Whether activations and u are what tensor cores take, u once it is <see cref="Chunked"/>.</summary>
    private bool Fuses(Tensor x, Tensor u) =>
        _product.HasTensorCores && x.Type == DType.BFloat16 && u.Type == DType.BFloat16;

    private bool IsForTensorCores(Tensor x) =>
        _product.HasTensorCores && x.Type == DType.BFloat16 && x.Columns % Float8.Count == 0;

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
    private Tensor Chunked(Tensor u) => u.Type != DType.BFloat16 || !_product.Pads || u.Columns % Float8.Count == 0
        ? u
        : Round(u, 1, u.Rows, Whole(u.Columns), _narrow);

    private static int Whole(int rank) => (rank + Float8.Count - 1) / Float8.Count * Float8.Count;

    /// <summary>factor · x in bf16, with zeros behind its rows and columns.</summary>
    private Tensor Round(Tensor x, float factor, int rows, int columns, GpuScratch? scratch = null)
    {
        var rounded = (scratch ?? _rounded).Take(new(rows, columns), DType.BFloat16, x.Name);
        _round.LaunchRows(rows, columns, x, factor, x.Rows, x.Columns, columns, rounded);
        return rounded;
    }

    /// <summary>[R, O] of [O, R].</summary>
    private Tensor Turn(Tensor x)
    {
        var turned = _turned.Take(new(x.Columns, x.Rows), x.Type, x.Name);
        _turn.LaunchRows(turned.Rows, turned.Columns, x, turned.Columns, turned);
        return turned;
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
    internal static void TurnKernel(GpuMatrix<GpuFloat32> x, int columns, GpuResult<GpuFloat32> turned)
    {
        var row = Grid.IdxX;
        for (var i = (Grid.IdxY * Group.DimX) + Group.IdxX; i < columns; i += Grid.DimY * Group.DimX)
        {
            turned[row, i] = x[i, row];
        }
    }
}
