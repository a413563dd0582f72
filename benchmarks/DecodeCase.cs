using System.Diagnostics;
using SafeLlama.Common;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Benchmarks;

/// <summary>One way of decoding, measured once a round.</summary>
internal abstract class DecodeCase(string name, ModelShape shape, DType type, int threads, int batch) : IDisposable
{
    private readonly Sample _wall = new();
    private readonly Sample _cpu = new();

    protected ModelShape Shape => shape;

    protected int Threads => threads;

    public abstract void WarmUp();

    public abstract void Measure();

    /// <summary>A row of the table; weights are read once for the tokens of a whole batch.</summary>
    public string Row(Sample limit)
    {
        var gigabytes = _cpu.Median / batch * StepCost.WeightBytes(shape, type) / 1e9;
        var gigaflops = _cpu.Median * StepCost.TokenFlops(shape) / 1e9;
        return $"| {name} | {threads} | {batch} | {_wall.Text("F1")} | {_cpu.Text("F1")} | {gigabytes:F1} "
            + $"| {Percent.Of(gigabytes / limit.Median, "0")} | {gigaflops:F1} |";
    }

    public virtual void Dispose() => GC.SuppressFinalize(this);

    protected void Add(double tokens, double seconds, double processorSeconds)
    {
        _wall.Add(tokens / seconds);
        _cpu.Add(tokens / (processorSeconds / threads));
    }
}

/// <summary>Our generator, in this process.</summary>
internal sealed class OwnDecodeCase : DecodeCase
{
    private readonly IBackend _backend;
    private readonly LlamaWeights _weights;
    private readonly Llama _model;
    private readonly Generator _generator;
    private readonly int[][] _prompts;
    private readonly int _tokens;

    public OwnDecodeCase(
        ModelShape shape, DType type, IBackend backend, (int Threads, int Batch) size, int generated)
        : base(type == DType.Float32 ? "fp32" : "bf16", shape, type, size.Threads, size.Batch)
    {
        _backend = backend;
        _weights = LlamaWeights.Load(_backend, shape.Config, RandomModel.Folder(shape, type));
        _model = new Llama(_backend, _weights, null, generated + 1);
        _generator = new Generator(_model, new DecodingConfig { MaxNewTokens = generated });
        _prompts = [.. Enumerable.Range(0, size.Batch).Select(_ => new[] { 1 })];
        _tokens = size.Batch * generated;
    }

    public override void WarmUp() => _generator.Generate(_prompts);

    public override void Measure()
    {
        var (cpu, start) = (Environment.CpuUsage.TotalTime, Stopwatch.GetTimestamp());
        _generator.Generate(_prompts);
        var wall = Stopwatch.GetElapsedTime(start);
        Add(_tokens, wall.TotalSeconds, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds);
    }

    public override void Dispose()
    {
        _model.Dispose();
        _weights.Dispose();
        _backend.Dispose();
        base.Dispose();
    }
}

/// <summary>A peer's, in a process of its own.</summary>
internal sealed class PeerDecodeCase(StepProgram program, ModelShape shape, int threads, int generated)
    : DecodeCase("fp32, peer", shape, DType.Float32, threads, batch: 1)
{
    public override void WarmUp()
    {
    }

    public override void Measure()
    {
        var result = program.Run(
            $"--config {Shape.Name} --mode decode --gen {generated} --threads {Threads} --steps 1 --warmup 1");
        Add(result.Work.Tokens, result.Seconds, result.CpuSeconds);
    }
}
