using ILGPU;

namespace SafeLlama.Kernels;

/// <summary>The turn on a device: a thread per eight pairs.</summary>
public sealed class RopeGpu : Rope
{
    private readonly GpuKernel _rotate;

    internal RopeGpu(GpuDevice device) => _rotate = new(device, typeof(RopeGpu), nameof(RotateKernel));

    protected override void RotateCore(Tensor x, Tensor positions, Tensor cos, Tensor sin, bool backward) =>
        _rotate.LaunchRows(
            x.Rows, x.Columns / 2, x, positions, cos, sin, cos.Columns, x.Columns / (2 * cos.Columns),
            backward ? -1f : 1f);

    /// <summary>Groups of a row share its pairs; cosines and sines are looked up by the row's position.</summary>
    /// <param name="half">d / 2.</param>
    /// <param name="heads">H.</param>
    /// <param name="direction">1 forward, −1 backward.</param>
    internal static void RotateKernel<TX>(
        GpuResult<TX> x, GpuInts positions, GpuMatrix<GpuFloat32> cos, GpuMatrix<GpuFloat32> sin, int half, int heads,
        float direction)
        where TX : unmanaged, IGpuActivation<TX>
    {
        var row = Grid.IdxX;
        var position = positions[row];
        var eights = (half + Float8.Count - 1) / Float8.Count;
        for (var e = (Grid.IdxY * Group.DimX) + Group.IdxX; e < heads * eights; e += Grid.DimY * Group.DimX)
        {
            var (head, i) = (e / eights, Float8.Count * (e % eights));
            var (first, second, end) = (head * 2 * half, (head * 2 * half) + half, (head + 1) * 2 * half);
            var (a, b) = (x.Load(row, first + i, second), x.Load(row, second + i, end));
            var (c, s) = (cos.Load(position, i, half), direction * sin.Load(position, i, half));
            x.Store(row, first + i, second, (a * c) - (b * s));
            x.Store(row, second + i, end, (b * c) + (a * s));
        }
    }
}
