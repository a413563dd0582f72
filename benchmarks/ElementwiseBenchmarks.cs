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
        return new(0, Bytes(rows, rows, rows));
    }

    [Benchmark]
    public void Add() => Backend.Elementwise.Add(_a, _b, _y);

    /// <summary>The runtime's own vectorised addition.</summary>
    [Benchmark]
    public void AddOfTensorPrimitives() => TensorPrimitives.Add(_plainA, _plainB, _plainY);

    protected override void Prepare() => (_plainA, _plainB, _plainY) = (_a.ReadFloats(), _b.ReadFloats(), _y.ReadFloats());

    protected override Tensor[] Plan(Arena arena)
    {
        Tensor Take(string name) => arena.Take(new(Shape.Rows, Shape.Config.HiddenSize), name);
        (_a, _b, _y) = (Take("a"), Take("b"), Take("y"));
        return [_a, _b];
    }
}
