using BenchmarkDotNet.Attributes;
using SafeLlama.Kernels;

namespace SafeLlama.Benchmarks;

/// <summary>The update of one matrix the size of q, as when all weights learn.</summary>
public class AdamWBenchmarks : OpBenchmark
{
    private static readonly AdamWStep Step = new(1e-4, 0.9, 0.999, 1e-8, 0.01, 10, 1);

    private Tensor _value = null!;
    private Tensor _gradient = null!;
    private Tensor _m = null!;
    private Tensor _v = null!;
    private Tensor _norm = null!;

    public override Work Of(string method)
    {
        var count = (long)Shape.Config.HiddenSize * Shape.Config.HiddenSize;
        return new(0, Wide(count, count, count, count, count, count, count));
    }

    [Benchmark]
    public void Update()
    {
        Backend.AdamW.Update(_value, _gradient, _m, _v, Step, _norm);
        Backend.Synchronize();
    }

    protected override Tensor[] Plan(Arena arena)
    {
        var size = new Kernels.Shape(Shape.Config.HiddenSize, Shape.Config.HiddenSize);
        Tensor Take(string name) => arena.Take(size, Backend.Accumulation, name);
        (_value, _gradient, _m, _v) = (Take("value"), Take("gradient"), Take("m"), Take("v"));
        _norm = arena.Take(new(1), DType.Float64, "norm_squared");
        return [_value, _gradient];
    }
}
