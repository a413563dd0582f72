using BenchmarkDotNet.Attributes;
using SafeLlama.Kernels;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace SafeLlama.Benchmarks;

/// <summary>The feed-forward layer's SiLU(gate) · up.</summary>
public class SwiGluBenchmarks : OpBenchmark
{
    private Tensor _gate = null!;
    private Tensor _up = null!;
    private Tensor _product = null!;
    private Tensor _dgate = null!;
    private Tensor _dup = null!;
    private float[] _plainGate = [];
    private float[] _plainUp = [];
    private float[] _plainProduct = [];

    public override Work Of(string method)
    {
        var rows = (long)Shape.Rows * Shape.Config.IntermediateSize;
        return new(
            0, method != nameof(Backward) ? Activations(rows, rows, rows) : Activations(rows, rows, rows, rows, rows));
    }

    [Benchmark]
    public void Forward()
    {
        Backend.SwiGlu.Forward(_gate, _up, _product);
        Backend.Synchronize();
    }

    [Benchmark]
    public void Backward()
    {
        Backend.SwiGlu.Backward(_product, _gate, _up, _dgate, _dup);
        Backend.Synchronize();
    }

    /// <summary>The same by the runtime's vectorized functions, a pass each.</summary>
    [Benchmark]
    [BenchmarkCategory(HostOnly)]
    public void ForwardOfTensorPrimitives()
    {
        TensorPrimitives.Sigmoid(_plainGate, _plainProduct);
        TensorPrimitives.Multiply(_plainProduct, _plainGate, _plainProduct);
        TensorPrimitives.Multiply(_plainProduct, _plainUp, _plainProduct);
    }

    protected override void Prepare() =>
        (_plainGate, _plainUp, _plainProduct) = (_gate.ReadFloats(), _up.ReadFloats(), _product.ReadFloats());

    protected override Tensor[] Plan(Arena arena)
    {
        Tensor Take(string name) => arena.Take(new(Shape.Rows, Shape.Config.IntermediateSize), name);
        (_gate, _up, _product, _dgate, _dup) = (Take("gate"), Take("up"), Take("product"), Take("dgate"), Take("dup"));
        return [_gate, _up, _product];
    }
}
