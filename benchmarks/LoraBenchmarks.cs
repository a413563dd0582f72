using BenchmarkDotNet.Attributes;
using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Benchmarks;

/// <summary>The product of q with a LoRA term.</summary>
public class LoraBenchmarks : OpBenchmark
{
    private Tensor _x = null!;
    private Tensor _weight = null!;
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

    private LoraTerm Term => new(_a, _b, 2, new(Dropout, Philox.Stream(1, "dropout")), _u);

    public override Work Of(string method)
    {
        var product = 2.0 * Shape.Rows * Width * Width;
        var lora = 2.0 * Shape.Rows * Rank * 2 * Width;
        var rows = (long)Shape.Rows * Width;
        return method == nameof(Forward)
            ? new(product + lora, Activations(rows, rows))
            : new(product + (2 * lora), Activations(rows, rows, rows));
    }

    [Benchmark]
    public void Forward()
    {
        Backend.Linear.Forward(_x, _weight, Term, default, _y);
        Backend.Synchronize();
    }

    [Benchmark]
    public void Backward()
    {
        Backend.Linear.BackwardLora(_y, _x, _weight, Term, new(_du, _da, _db), _dx, accumulate: false);
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
        _weight = Matrix(Width, Width, "weight");
        return [_x, _y, _weight, _a, _b, _u];
    }
}
