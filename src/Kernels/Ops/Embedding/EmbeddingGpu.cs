using ILGPU;

namespace SafeLlama.Kernels;

/// <summary>Table rows on a device: a thread group per token.</summary>
public sealed class EmbeddingGpu : Embedding
{
    private readonly GpuKernel _forward;
    private readonly GpuKernel _backward;

    internal EmbeddingGpu(GpuDevice device)
    {
        _forward = new(device, typeof(EmbeddingGpu), nameof(ForwardKernel));
        _backward = new(device, typeof(EmbeddingGpu), nameof(BackwardKernel));
    }

    protected override void ForwardCore(Tensor tokens, Tensor weight, Tensor y) =>
        _forward.LaunchRows(y.Rows, y.Columns, tokens, weight, y.Columns, y);

    protected override void BackwardCore(Tensor dy, Tensor tokens, Tensor dweight) =>
        _backward.Launch(new(dy.Rows, 1), dy, tokens, dy.Rows, dy.Columns, dweight);

    /// <summary>A token per x, parts of its row along y.</summary>
    internal static void ForwardKernel<TW, TY>(GpuInts tokens, GpuMatrix<TW> weight, int columns, GpuResult<TY> y)
        where TW : unmanaged, IGpuStored<TW>
        where TY : unmanaged, IGpuActivation<TY>
    {
        var (row, threads) = (Grid.IdxX, Grid.DimY * Group.DimX);
        var token = tokens[row];
        for (var i = Float8.Count * ((Grid.IdxY * Group.DimX) + Group.IdxX); i < columns; i += Float8.Count * threads)
        {
            y.Store(row, i, columns, weight.Load(token, i, columns));
        }
    }

    /// <summary>
    /// A group per token; the first of equal tokens adds up the rows of all of them, from first to last, so that no two
    /// groups write one row and the order never changes.
    /// </summary>
    internal static void BackwardKernel<TY>(
        GpuMatrix<TY> dy, GpuInts tokens, int rows, int columns, GpuResult<GpuFloat32> dweight)
        where TY : unmanaged, IGpuActivation<TY>
    {
        var first = Grid.IdxX;
        var token = tokens[first];
        for (var n = 0; n < first; n++)
        {
            if (tokens[n] == token)
            {
                return;
            }
        }

        for (var i = Group.IdxX; i < columns; i += Group.DimX)
        {
            var sum = 0f;
            for (var n = first; n < rows; n++)
            {
                if (tokens[n] == token)
                {
                    sum += dy[n, i];
                }
            }

            dweight[token, i] += sum;
        }
    }
}
