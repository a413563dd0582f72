using ILGPU;
using ILGPU.Algorithms;

namespace SafeLlama.Kernels;

/// <summary>The update on a device: every thread reads the norm there, so the host never waits for it.</summary>
public sealed class AdamWGpu : AdamW
{
    private readonly GpuKernel _update;

    internal AdamWGpu(GpuDevice device) => _update = new(device, typeof(AdamWGpu), nameof(UpdateKernel));

    protected override void UpdateCore(
        Tensor value, Tensor gradient, Tensor m, Tensor v, in AdamWStep step, Tensor normSquared) =>
        _update.LaunchRows(
            value.Rows, value.Columns, value, gradient, m, v, normSquared, value.Columns, (float)step.MaxNorm,
            AdamWRates.Of(step));

    /// <summary>A row per x, parts of a row along y. A norm that is not finite leaves everything as it is.</summary>
    internal static void UpdateKernel(
        GpuResult<GpuFloat32> value,
        GpuMatrix<GpuFloat32> gradient,
        GpuResult<GpuFloat32> m,
        GpuResult<GpuFloat32> v,
        GpuDoubles normSquared,
        int columns,
        float maxNorm,
        AdamWRates rates)
    {
        var square = normSquared[0];
        if (!(square <= double.MaxValue))
        {
            return;
        }

        var clip = maxNorm <= 0f ? 1f : XMath.Min(1f, maxNorm / ((float)XMath.Sqrt(square) + 1e-6f));
        var (row, threads) = (Grid.IdxX, Grid.DimY * Group.DimX);
        for (var i = Float8.Count * ((Grid.IdxY * Group.DimX) + Group.IdxX); i < columns; i += Float8.Count * threads)
        {
            var g = clip * gradient.Load(row, i, columns);
            var first = (rates.Keep1 * m.Load(row, i, columns)) + (rates.Take1 * g);
            var second = (rates.Keep2 * v.Load(row, i, columns)) + (rates.Take2 * g * g);
            m.Store(row, i, columns, first);
            v.Store(row, i, columns, second);
            var size = (rates.Root * Float8.Sqrt(second)) + Float8.All(rates.Epsilon);
            value.Store(row, i, columns, (rates.Decay * value.Load(row, i, columns)) - ((rates.Rate * first) / size));
        }
    }
}

/// <summary>What a step's settings come to, worked out once on the host.</summary>
/// <param name="Keep1">β₁.</param>
/// <param name="Take1">1 − β₁.</param>
/// <param name="Keep2">β₂.</param>
/// <param name="Take2">1 − β₂.</param>
/// <param name="Decay">1 − η λ.</param>
/// <param name="Rate">η / (1 − β₁ᵗ).</param>
/// <param name="Root">1 / √(1 − β₂ᵗ).</param>
/// <param name="Epsilon">ε.</param>
internal readonly record struct AdamWRates(
    float Keep1, float Take1, float Keep2, float Take2, float Decay, float Rate, float Root, float Epsilon)
{
    public static AdamWRates Of(in AdamWStep step) => new(
        (float)step.Beta1,
        (float)(1 - step.Beta1),
        (float)step.Beta2,
        (float)(1 - step.Beta2),
        (float)(1 - (step.LearningRate * step.WeightDecay)),
        (float)(step.LearningRate / (1 - Math.Pow(step.Beta1, step.Step))),
        (float)(1 / Math.Sqrt(1 - Math.Pow(step.Beta2, step.Step))),
        (float)step.Epsilon);
}
