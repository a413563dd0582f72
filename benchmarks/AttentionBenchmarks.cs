using BenchmarkDotNet.Attributes;
using SafeLlama.Kernels;

namespace SafeLlama.Benchmarks;

/// <summary>Causal attention over the sequences of a training batch.</summary>
public class AttentionBenchmarks : OpBenchmark
{
    private Tensor _q = null!;
    private Tensor _k = null!;
    private Tensor _v = null!;
    private Tensor _firstKey = null!;
    private Tensor _lastKey = null!;
    private Tensor _y = null!;
    private Tensor _dy = null!;
    private Tensor _logSum = null!;
    private Tensor _delta = null!;
    private Tensor _dq = null!;
    private Tensor _dk = null!;
    private Tensor _dv = null!;

    private AttentionInput Input => new(
        _q, _k, _v, _firstKey, _lastKey, Shape.Config.HeadDim, 1 / Math.Sqrt(Shape.Config.HeadDim));

    /// <summary>Two products of each query with the keys it may see; backward has five.</summary>
    public override Work Of(string method)
    {
        var pairs = (double)Shape.Batch * Shape.Length * (Shape.Length + 1) / 2;
        var products = method == nameof(Forward) ? 2 : 5;
        var rows = (long)Shape.Rows * Shape.Config.HiddenSize;
        return new(products * 2 * pairs * Shape.Config.HiddenSize, Activations(rows, rows, rows, rows));
    }

    [Benchmark]
    public void Forward()
    {
        Backend.Attention.Forward(Input, _y, _logSum);
        Backend.Synchronize();
    }

    [Benchmark]
    public void Backward()
    {
        Backend.Attention.Backward(_dy, Input, _y, _logSum, _delta, new(_dq, _dk, _dv));
        Backend.Synchronize();
    }

    protected override Tensor[] Plan(Arena arena)
    {
        var (rows, queries) = (Shape.Rows, Shape.Config.Heads * Shape.Config.HeadDim);
        var keys = Shape.Config.KeyValueHeads * Shape.Config.HeadDim;
        Tensor Take(int columns, string name) => arena.Take(new(rows, columns), name);
        Tensor Keep(int columns, string name) => arena.Take(new(rows, columns), Backend.Kept, name);
        (_q, _k, _v, _y) = (Keep(queries, "q"), Keep(keys, "k"), Keep(keys, "v"), Keep(queries, "y"));
        (_dq, _dk, _dv) = (Take(queries, "dq"), Take(keys, "dk"), Take(keys, "dv"));
        _dy = Take(queries, "dy");
        _logSum = arena.Take(new(rows, Shape.Config.Heads), Backend.Accumulation, "log_sum");
        _delta = arena.Take(new(rows, Shape.Config.Heads), Backend.Accumulation, "delta");
        _firstKey = arena.Take(new(rows), DType.Int32, "first_key");
        _lastKey = arena.Take(new(rows), DType.Int32, "last_key");
        return [_q, _k, _v, _dy];
    }

    protected override void Prepare()
    {
        int[] row = [.. Enumerable.Range(0, Shape.Rows)];
        _firstKey.Write(Array.ConvertAll(row, n => n / Shape.Length * Shape.Length));
        _lastKey.Write(row);
        Forward();
    }
}
