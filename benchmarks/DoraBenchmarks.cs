using BenchmarkDotNet.Attributes;
using SafeLlama.Kernels;

namespace SafeLlama.Benchmarks;

/// <summary>The norms of q's weight with an update of rank 8, and the passes over its product.</summary>
public class DoraBenchmarks : OpBenchmark
{
    private const int Rank = 8;

    private Tensor _weight = null!;
    private Tensor _a = null!;
    private Tensor _b = null!;
    private Tensor _norm = null!;
    private Tensor _magnitude = null!;
    private Tensor _dmagnitude = null!;
    private Tensor _z = null!;
    private Tensor _y = null!;
    private Tensor _dz = null!;

    private int Width => Shape.Config.HiddenSize;

    public override Work Of(string method)
    {
        var rows = (long)Shape.Rows * Width;
        return method switch
        {
            nameof(Norm) => new(2.0 * Rank * Width * Width, Activations((long)Width * Width)),
            nameof(Forward) => new(0, Activations(rows, rows)),
            _ => new(0, Activations(rows, rows, rows)),
        };
    }

    [Benchmark]
    public void Norm()
    {
        Backend.Dora.Norm(_weight, _a, _b, 2, _norm);
        Backend.Synchronize();
    }

    [Benchmark]
    public void Forward()
    {
        Backend.Dora.Forward(_z, _magnitude, _norm, null, null, _y);
        Backend.Synchronize();
    }

    [Benchmark]
    public void Backward()
    {
        Backend.Dora.Backward(_y, _z, _magnitude, _norm, _dz, _dmagnitude);
        Backend.Synchronize();
    }

    protected override Tensor[] Plan(Arena arena)
    {
        Tensor Wide(string name, Shape shape) => arena.Take(shape, arena.Backend.Accumulation, name);
        (_z, _y, _dz) = (Take("z"), Take("y"), Take("dz"));
        (_weight, _a, _b) = (
            Wide("weight", new(Width, Width)), Wide("a", new(Rank, Width)), Wide("b", new(Width, Rank)));
        (_norm, _magnitude, _dmagnitude) = (
            Wide("norm", new(Width)), Wide("magnitude", new(Width)), Wide("dmagnitude", new(Width)));
        return [_z, _y, _weight, _a, _b, _norm, _magnitude];

        Tensor Take(string name) => arena.Take(new(Shape.Rows, Width), name);
    }
}
