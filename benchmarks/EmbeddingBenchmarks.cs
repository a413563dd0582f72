using BenchmarkDotNet.Attributes;
using SafeLlama.Kernels;

namespace SafeLlama.Benchmarks;

/// <summary>The rows of a batch looked up; backward where the table learns.</summary>
public class EmbeddingBenchmarks : OpBenchmark
{
    private Tensor _tokens = null!;
    private Tensor _table = null!;
    private Tensor _dtable = null!;
    private Tensor _y = null!;

    public override Work Of(string method)
    {
        var rows = (long)Shape.Rows * Shape.Config.HiddenSize;
        return new(0, Activations(rows) + (method == nameof(Forward) ? Wide(rows) : Wide(rows, rows)));
    }

    [Benchmark]
    public void Forward()
    {
        Backend.Embedding.Forward(_tokens, _table, _y);
        Backend.Synchronize();
    }

    [Benchmark]
    public void Backward()
    {
        Backend.Embedding.Backward(_y, _tokens, _dtable);
        Backend.Synchronize();
    }

    protected override Tensor[] Plan(Arena arena)
    {
        _tokens = arena.Take(new(Shape.Rows), DType.Int32, "tokens");
        var table = new Kernels.Shape(Shape.Config.VocabularySize, Shape.Config.HiddenSize);
        _table = arena.Take(table, Backend.Accumulation, "table");
        _dtable = arena.Take(table, Backend.Accumulation, "dtable");
        _y = arena.Take(new(Shape.Rows, Shape.Config.HiddenSize), "y");
        return [_table, _y];
    }

    protected override void Prepare() =>
        _tokens.Write([.. Enumerable.Range(0, Shape.Rows).Select(n => (n * 997) % Shape.Config.VocabularySize)]);
}
