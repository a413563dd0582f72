using BenchmarkDotNet.Attributes;
using SafeLlama.Kernels;

namespace SafeLlama.Benchmarks;

/// <summary>One normalization of the residual stream.</summary>
public class RmsNormBenchmarks : OpBenchmark
{
    private Tensor _x = null!;
    private Tensor _y = null!;
    private Tensor _dx = null!;
    private Tensor _weight = null!;
    private Tensor _rstd = null!;

    public override Work Of(string method)
    {
        var rows = (long)Shape.Rows * Shape.Config.HiddenSize;
        return new(0, Wide(rows) + (method == nameof(Forward) ? Activations(rows) : Activations(rows, rows, rows)));
    }

    [Benchmark]
    public void Forward()
    {
        Backend.RmsNorm.Forward(_x, _weight, 1e-6, _y, _rstd);
        Backend.Synchronize();
    }

    [Benchmark]
    public void Backward()
    {
        Backend.RmsNorm.Backward(_y, _x, _weight, _rstd, _dx, null);
        Backend.Synchronize();
    }

    protected override Tensor[] Plan(Arena arena)
    {
        var size = new Kernels.Shape(Shape.Rows, Shape.Config.HiddenSize);
        (_x, _y, _dx) = (arena.Take(size, Backend.Accumulation, "x"), arena.Take(size, "y"), arena.Take(size, "dx"));
        _weight = arena.Take(new(size[1]), Backend.Accumulation, "weight");
        _rstd = arena.Take(new(size[0]), Backend.Accumulation, "rstd");
        return [_x, _weight];
    }

    protected override void Prepare() => Forward();
}
