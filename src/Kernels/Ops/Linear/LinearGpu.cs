using ILGPU;

namespace SafeLlama.Kernels;

/// <summary>The products on a device.</summary>
public sealed class LinearGpu : Linear
{
    private readonly GpuGemm _product;
    private readonly GpuKernel _backwardBias;
    private readonly int _groupSize;

    internal LinearGpu(GpuDevice device, GpuGemm product)
    {
        _product = product;
        _backwardBias = new(device, typeof(LinearGpu), nameof(BackwardBiasKernel));
        _groupSize = device.GroupSize;
    }

    protected override void ForwardCore(Tensor x, Tensor weight, Tensor? bias, Tensor? residual, Tensor y) =>
        _product.Launch(x, weight, y, ProductForm.RowsByRows, new(bias, Residual: residual));

    protected override void ForwardGatedCore(
        Tensor x, Tensor weight, Tensor? bias, SwiGlu swiGlu, Tensor gate, Tensor y, Tensor product)
    {
        if (_product.Gates(x, weight, y))
        {
            _product.Launch(x, weight, y, ProductForm.RowsByRows, new(bias, Gate: gate, Gated: product));
        }
        else
        {
            base.ForwardGatedCore(x, weight, bias, swiGlu, gate, y, product);
        }
    }

    protected override void BackwardInputCore(Tensor dy, Tensor weight, Tensor dx, bool accumulate)
    {
        var form = ProductForm.RowsByColumns;
        _product.Launch(dy, weight, dx, accumulate ? form.Added : form);
    }

    protected override void BackwardWeightCore(Tensor dy, Tensor x, Tensor dweight, Tensor? dbias)
    {
        _product.Launch(dy, x, dweight, ProductForm.ColumnsByColumns.Added);
        if (dbias is not null)
        {
            _backwardBias.Launch(new(((dy.Columns - 1) / _groupSize) + 1, 1), dy, dy.Rows, dy.Columns, dbias);
        }
    }

    /// <summary>One thread per column, which adds up its rows from first to last.</summary>
    internal static void BackwardBiasKernel<TY>(GpuMatrix<TY> dy, int rows, int columns, GpuFloats dbias)
        where TY : unmanaged, IGpuActivation<TY>
    {
        var o = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (o >= columns)
        {
            return;
        }

        var sum = 0f;
        for (var n = 0; n < rows; n++)
        {
            sum += dy[n, o];
        }

        dbias[o] += sum;
    }
}
