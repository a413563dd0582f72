using BenchmarkDotNet.Attributes;
using SafeLlama.Kernels;

namespace SafeLlama.Benchmarks;

/// <summary>The queries of one layer, turned by their positions.</summary>
public class RopeBenchmarks : OpBenchmark
{
    private Tensor _x = null!;
    private Tensor _positions = null!;
    private Tensor _cos = null!;
    private Tensor _sin = null!;

    public override Work Of(string method)
    {
        var rows = (long)Shape.Rows * Shape.Config.HiddenSize;
        return new(0, Activations(rows, rows));
    }

    [Benchmark]
    public void Forward()
    {
        Backend.Rope.Forward(_x, _positions, _cos, _sin);
        Backend.Synchronize();
    }

    [Benchmark]
    public void Backward()
    {
        Backend.Rope.Backward(_x, _positions, _cos, _sin);
        Backend.Synchronize();
    }

    protected override Tensor[] Plan(Arena arena)
    {
        _x = arena.Take(new(Shape.Rows, Shape.Config.HiddenSize), "x");
        _positions = arena.Take(new(Shape.Rows), DType.Int32, "positions");
        var angles = new Kernels.Shape(Shape.Length, Shape.Config.HeadDim / 2);
        _cos = arena.Take(angles, Backend.Accumulation, "cos");
        _sin = arena.Take(angles, Backend.Accumulation, "sin");
        return [_x, _cos, _sin];
    }

    protected override void Prepare() =>
        _positions.Write([.. Enumerable.Range(0, Shape.Rows).Select(n => n % Shape.Length)]);
}
