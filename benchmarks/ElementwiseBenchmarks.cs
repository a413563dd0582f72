using BenchmarkDotNet.Attributes;
using SafeLlama.Kernels;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace SafeLlama.Benchmarks;

/// <summary>The residual sum.</summary>
public class ElementwiseBenchmarks : OpBenchmark
{
    private Tensor _a = null!;
    private Tensor _b = null!;
    private Tensor _y = null!;
    private float[] _plainA = [];
    private float[] _plainB = [];
    private float[] _plainY = [];

    public override Work Of(string method)
    {
        var rows = (long)Shape.Rows * Shape.Config.HiddenSize;
        return new(0, Wide(rows, rows) + Activations(rows));
    }

    [Benchmark]
    public void Add()
    {
        Backend.Elementwise.Add(_a, _b, _y);
        Backend.Synchronize();
    }

    /// <summary>The runtime's own vectorised addition.</summary>
    [Benchmark]
    [BenchmarkCategory(HostOnly)]
    public void AddOfTensorPrimitives() => TensorPrimitives.Add(_plainA, _plainB, _plainY);

    protected override void Prepare() =>
        (_plainA, _plainB, _plainY) = (_a.ReadFloats(), _b.ReadFloats(), _y.ReadFloats());

    protected override Tensor[] Plan(Arena arena)
    {
        var size = new Kernels.Shape(Shape.Rows, Shape.Config.HiddenSize);
        (_a, _y) = (arena.Take(size, Backend.Accumulation, "a"), arena.Take(size, Backend.Accumulation, "y"));
        _b = arena.Take(size, "b");
        return [_a, _b];
    }
}
