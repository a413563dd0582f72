using BenchmarkDotNet.Attributes;
using SafeLlama.Kernels;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace SafeLlama.Benchmarks;

/// <summary>The loss of a chunk of rows, over the whole vocabulary.</summary>
public class CrossEntropyBenchmarks : OpBenchmark
{
    private const int Rows = 256;

    private Tensor _logits = null!;
    private Tensor _dlogits = null!;
    private Tensor _targets = null!;
    private Tensor _nll = null!;
    private Tensor _logSum = null!;
    private float[] _plainLogits = [];
    private float[] _plainScratch = [];

    public override Work Of(string method)
    {
        var logits = (long)Rows * Shape.Config.VocabularySize;
        return new(0, method != nameof(Backward) ? Activations(logits) : Activations(logits, logits));
    }

    [Benchmark]
    public void Forward()
    {
        Backend.CrossEntropy.Forward(_logits, _targets, _nll, _logSum);
        Backend.Synchronize();
    }

    [Benchmark]
    public void Backward()
    {
        Backend.CrossEntropy.Backward(_logits, _targets, _logSum, 1.0 / Rows, _dlogits);
        Backend.Synchronize();
    }

    /// <summary>log Σ exp of every row by the runtime's vectorized functions, a pass each.</summary>
    [Benchmark]
    [BenchmarkCategory(HostOnly)]
    public float ForwardOfTensorPrimitives()
    {
        var (width, total) = (Shape.Config.VocabularySize, 0f);
        for (var row = 0; row < Rows; row++)
        {
            var logits = _plainLogits.AsSpan(row * width, width);
            var max = TensorPrimitives.Max(logits);
            TensorPrimitives.Subtract(logits, max, _plainScratch);
            TensorPrimitives.Exp(_plainScratch, _plainScratch);
            total += max + MathF.Log(TensorPrimitives.Sum(_plainScratch));
        }

        return total;
    }

    protected override Tensor[] Plan(Arena arena)
    {
        _logits = arena.Take(new(Rows, Shape.Config.VocabularySize), "logits");
        _dlogits = arena.Take(new(Rows, Shape.Config.VocabularySize), "dlogits");
        _targets = arena.Take(new(Rows), DType.Int32, "targets");
        _nll = arena.Take(new(Rows), Backend.Accumulation, "nll");
        _logSum = arena.Take(new(Rows), Backend.Accumulation, "log_sum");
        return [_logits];
    }

    protected override void Prepare()
    {
        (_plainLogits, _plainScratch) = (_logits.ReadFloats(), new float[Shape.Config.VocabularySize]);
        _targets.Write([.. Enumerable.Range(0, Rows)]);
        Forward();
    }
}
