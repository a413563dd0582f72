using ILGPU;

namespace SafeLlama.Kernels;

/// <summary>
/// The four lines as products on a device; dropout is applied as operands are read, so no mask is stored.
/// </summary>
/// <remarks>
/// <para>u = x Aᵀ and du = dy B read x and dy once, with A and B as they are, fp32 (<see cref="SkinnyProduct"/>), up to
/// rank 16; above it A and B are rounded to bf16 for tensor cores.</para>
/// <para>Beside a frozen product in bf16, y += s · u Bᵀ and dx += du A are a few steps more of that product's sum, so y
/// and dx are written once. For it s · B and A are rounded to bf16, to nearest even, as every operand of a tensor core
/// is (and as autocast rounds them elsewhere): 2⁻⁹ of a number that is itself a small correction. The masters, their
/// gradients and their moments stay fp32.</para>
/// </remarks>
public sealed class LowRankGpu : LowRank, IDisposable
{
    private readonly GpuProduct _product;
    private readonly GpuKernel _round;
    private readonly GpuKernel _turn;
    private readonly GpuScratch _rounded;
    private readonly GpuScratch _turned;

    internal LowRankGpu(GpuDevice device, GpuProduct product)
    {
        _product = product;
        _round = new(device, typeof(LowRankGpu), nameof(RoundKernel));
        _turn = new(device, typeof(LowRankGpu), nameof(TurnKernel));
        (_rounded, _turned) = (new(device, "an adapter in bf16"), new(device, "an adapter, turned"));
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
        _product.LaunchWith(dy, weight, du, Round(a, 1), dx, form);
    }

    public void Dispose()
    {
        _rounded.Dispose();
        _turned.Dispose();
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
        _product.Launch(dy, u, db, ProductForm.ColumnsByColumns.Added with { Scale = (float)scale });
        _product.Launch(
            du, x, da, ProductForm.ColumnsByColumns.Added with { Dropped = Dropped.TransposedB }, dropout: dropout);
        if (dx is not null)
        {
            _product.Launch(
                du, a, dx, ProductForm.RowsByColumns.Added with { Dropped = Dropped.Result }, dropout: dropout);
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
        _product.LaunchWith(x, weight, u, Round(b, (float)scale), y, ProductForm.RowsByRows, epilogue);
        return true;
    }

    /// <summary>u = scale · drop(x) Aᵀ.</summary>
    private void Down(Tensor x, Tensor a, Dropout dropout, Tensor u, float scale = 1)
    {
        var form =
            ProductForm.RowsByRows with { Scale = scale, Dropped = dropout.IsActive ? Dropped.A : Dropped.Nothing };
        var large = a.Rows > 2 * SkinnyProduct.MaxRows && !dropout.IsActive && Fuses(x, u);
        _product.Launch(x, large ? Round(a, 1) : a, u, form, dropout: dropout);
    }

    /// <summary>y += s · u Bᵀ.</summary>
    private void Up(Tensor u, Tensor b, double scale, Tensor y) =>
        _product.Launch(u, b, y, ProductForm.RowsByRows.Added with { Scale = (float)scale });

    /// <summary>Whether activations and u are what tensor cores take.</summary>
    private bool Fuses(Tensor x, Tensor u) =>
        _product.HasTensorCores && x.Type == DType.BFloat16 && u.Type == DType.BFloat16 && u.Columns % Eight.Count == 0;

    /// <summary>factor · x in bf16.</summary>
    private Tensor Round(Tensor x, float factor)
    {
        var rounded = _rounded.Take(x.Shape, DType.BFloat16, x.Name);
        _round.LaunchRows(x.Rows, x.Columns, x, factor, x.Columns, rounded);
        return rounded;
    }

    /// <summary>[R, O] of [O, R].</summary>
    private Tensor Turn(Tensor x)
    {
        var turned = _turned.Take(new(x.Columns, x.Rows), x.Type, x.Name);
        _turn.LaunchRows(turned.Rows, turned.Columns, x, turned.Columns, turned);
        return turned;
    }

    /// <summary>A row per x, parts of a row along y.</summary>
    internal static void RoundKernel(
        GpuMatrix<GpuFloat32> x, float factor, int columns, GpuResult<GpuBFloat16> rounded)
    {
        var (row, threads) = (Grid.IdxX, Grid.DimY * Group.DimX);
        for (var i = Eight.Count * ((Grid.IdxY * Group.DimX) + Group.IdxX); i < columns; i += Eight.Count * threads)
        {
            rounded.Store(row, i, columns, factor * x.Load(row, i, columns));
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
