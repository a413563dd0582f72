using BenchmarkDotNet.Attributes;
using SafeLlama.Kernels;

namespace SafeLlama.Benchmarks;

/// <summary>The products of a block's linears, over a batch of training and over one token of decoding.</summary>
public class LinearBenchmarks : OpBenchmark
{
    private Tensor _x = null!;
    private Tensor _y = null!;
    private Tensor _weight = null!;
    private Tensor _dweight = null!;
    private float[] _plainX = [];
    private float[] _plainY = [];
    private float[] _plainWeight = [];

    /// <summary>q, up or down.</summary>
    [Params("q", "up", "down")]
    public string Linear { get; set; } = "q";

    /// <summary>How the weight is stored.</summary>
    [Params(DType.Float32, DType.BFloat16)]
    public DType Weight { get; set; } = DType.Float32;

    private (string Name, int Outputs, int Inputs) Size => Shape.Linears.First(linear => linear.Name == Linear);

    public override Work Of(string method)
    {
        var (_, outputs, inputs) = Size;
        var rows = method == nameof(DecodeOneToken) ? 1L : Shape.Rows;
        var weight = (long)outputs * inputs;
        var bytes = Activations(rows * inputs, rows * outputs) + (weight * Weight.Size());
        return new(method == nameof(DecodeOneToken) ? 0 : 2.0 * rows * weight, bytes);
    }

    [Benchmark]
    public void Forward()
    {
        Backend.Linear.Forward(_x, _weight, _y);
        Backend.Synchronize();
    }

    [Benchmark]
    public void BackwardInput()
    {
        Backend.Linear.BackwardInput(_y, _weight, _x, accumulate: false);
        Backend.Synchronize();
    }

    [Benchmark]
    public void BackwardWeight()
    {
        Backend.Linear.BackwardWeight(_y, _x, _dweight, null);
        Backend.Synchronize();
    }

    [Benchmark]
    public void DecodeOneToken()
    {
        Backend.Linear.Forward(_x.Slice(0, 1), _weight, _y.Slice(0, 1));
        Backend.Synchronize();
    }

    /// <summary>OpenBLAS on fp32 copies of the same numbers: it reads no other type.</summary>
    [Benchmark]
    [BenchmarkCategory(OpenBlas.Category, HostOnly)]
    public void ForwardOfOpenBlas() =>
        OpenBlas.Multiply(_plainX, false, _plainWeight, true, _plainY, Shape.Rows, Size.Outputs, Size.Inputs);

    [Benchmark]
    [BenchmarkCategory(OpenBlas.Category, HostOnly)]
    public void BackwardInputOfOpenBlas() =>
        OpenBlas.Multiply(_plainY, false, _plainWeight, false, _plainX, Shape.Rows, Size.Inputs, Size.Outputs);

    [Benchmark]
    [BenchmarkCategory(OpenBlas.Category, HostOnly)]
    public void BackwardWeightOfOpenBlas() =>
        OpenBlas.Multiply(_plainY, true, _plainX, false, _plainWeight, Size.Outputs, Size.Inputs, Shape.Rows);

    protected override void Prepare() =>
        (_plainX, _plainY, _plainWeight) = (_x.ReadFloats(), _y.ReadFloats(), _weight.ReadFloats());

    protected override Tensor[] Plan(Arena arena)
    {
        var (_, outputs, inputs) = Size;
        _x = arena.Take(new(Shape.Rows, inputs), "x");
        _y = arena.Take(new(Shape.Rows, outputs), "y");
        _weight = arena.Take(new(outputs, inputs), Weight, "weight");
        _dweight = arena.Take(new(outputs, inputs), Backend.Accumulation, "dweight");
        return [_x, _y, _weight];
    }
}
