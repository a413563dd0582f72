using ILGPU;
using ILGPU.Algorithms;

namespace SafeLlama.Kernels;

/// <summary>The gated activation on a device: threads stride over eights of a row.</summary>
public sealed class SwiGluGpu : SwiGlu
{
    private readonly GpuKernel _forward;
    private readonly GpuKernel _backward;

    internal SwiGluGpu(GpuDevice device)
    {
        _forward = new(device, typeof(SwiGluGpu), nameof(ForwardKernel));
        _backward = new(device, typeof(SwiGluGpu), nameof(BackwardKernel));
    }

    protected override void ForwardCore(Tensor gate, Tensor up, Tensor product) =>
        _forward.LaunchRows(gate.Rows, gate.Columns, gate, up, gate.Columns, product);

    protected override void BackwardCore(Tensor dproduct, Tensor gate, Tensor up, Tensor dgate, Tensor dup) =>
        _backward.LaunchRows(gate.Rows, gate.Columns, dproduct, gate, up, gate.Columns, dgate, dup);

    /// <summary>A row per x, parts of a row along y.</summary>
    internal static void ForwardKernel<T>(GpuMatrix<T> gate, GpuMatrix<T> up, int columns, GpuResult<T> product)
        where T : unmanaged, IGpuActivation<T>
    {
        var (row, threads) = (Grid.IdxX, Grid.DimY * Group.DimX);
        for (var i = Float8.Count * ((Grid.IdxY * Group.DimX) + Group.IdxX); i < columns; i += Float8.Count * threads)
        {
            var g = gate.Load(row, i, columns);
            product.Store(row, i, columns, Silu(g) * up.Load(row, i, columns));
        }
    }

    /// <summary>As forward. Every operand is read before a result is written: dup may be dproduct.</summary>
    internal static void BackwardKernel<T>(
        GpuMatrix<T> dproduct, GpuMatrix<T> gate, GpuMatrix<T> up, int columns, GpuResult<T> dgate, GpuResult<T> dup)
        where T : unmanaged, IGpuActivation<T>
    {
        var (row, threads) = (Grid.IdxX, Grid.DimY * Group.DimX);
        for (var i = Float8.Count * ((Grid.IdxY * Group.DimX) + Group.IdxX); i < columns; i += Float8.Count * threads)
        {
            var (d, g, u) = (dproduct.Load(row, i, columns), gate.Load(row, i, columns), up.Load(row, i, columns));
            var (sigma, one) = (Sigmoid(g), Float8.All(1f));
            dgate.Store(row, i, columns, d * u * sigma * (one + (g * (one - sigma))));
            dup.Store(row, i, columns, d * g * sigma);
        }
    }

    /// <summary>x · σ(x).</summary>
    internal static Float8 Silu(Float8 x) => x * Sigmoid(x);

    /// <summary>The same of one number.</summary>
    internal static float Silu(float x) => x * (1f / (1f + XMath.Exp(-1f * x)));

    private static Float8 Sigmoid(Float8 x) => Float8.All(1f) / (Float8.All(1f) + Float8.Exp(-1f * x));
}
