using BenchmarkDotNet.Attributes;
using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Benchmarks;

/// <summary>The low-rank branch beside q.</summary>
public class LowRankBenchmarks : OpBenchmark
{
    private Tensor _x = null!;
    private Tensor _y = null!;
    private Tensor _a = null!;
    private Tensor _b = null!;
    private Tensor _u = null!;
    private Tensor _du = null!;
    private Tensor _da = null!;
    private Tensor _db = null!;
    private Tensor _dx = null!;

    /// <summary>r.</summary>
    [Params(8, 64)]
    public int Rank { get; set; } = 8;

    /// <summary>p.</summary>
    [Params(0, 0.05)]
    public double Dropout { get; set; }

    private int Width => Shape.Config.HiddenSize;

    private Dropout Drop => new(Dropout, Philox.Stream(1, "dropout"));

    public override Work Of(string method)
    {
        var forward = 2.0 * Shape.Rows * Rank * 2 * Width;
        var rows = (long)Shape.Rows * Width;
        return method == nameof(Forward)
            ? new(forward, Activations(rows, rows, rows))
            : new(2 * forward, Activations(rows, rows, rows, rows));
    }

    [Benchmark]
    public void Forward()
    {
        Backend.LowRank.Forward(_x, _a, _b, 2, Drop, _u, _y);
        Backend.Synchronize();
    }

    [Benchmark]
    public void Backward()
    {
        Backend.LowRank.Backward(_y, _x, _a, _b, 2, Drop, _u, _du, _da, _db, _dx);
        Backend.Synchronize();
    }

    protected override Tensor[] Plan(Arena arena)
    {
        _x = arena.Take(new(Shape.Rows, Width), "x");
        _y = arena.Take(new(Shape.Rows, Width), "y");
        _dx = arena.Take(new(Shape.Rows, Width), "dx");
        Tensor Matrix(int rows, int columns, string name) => arena.Take(new(rows, columns), Backend.Accumulation, name);
        (_a, _da) = (Matrix(Rank, Width, "a"), Matrix(Rank, Width, "da"));
        (_b, _db) = (Matrix(Width, Rank, "b"), Matrix(Width, Rank, "db"));
        (_u, _du) = (arena.Take(new(Shape.Rows, Rank), "u"), arena.Take(new(Shape.Rows, Rank), "du"));
        return [_x, _y, _a, _b, _u];
    }
}
