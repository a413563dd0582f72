using BenchmarkDotNet.Attributes;
using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Benchmarks;

/// <summary>What the benchmarks of single ops share: one core or a GPU, and tensors of drawn numbers.</summary>
public abstract class OpBenchmark : IDisposable
{
    /// <summary>The category of baselines that know the host alone.</summary>
    public const string HostOnly = "host only";

    /// <summary>One core of the CPU path.</summary>
    public const string Host = "cpu";

    /// <summary>The same, large products in bf16.</summary>
    public const string HostNarrow = "cpu:bf16";

    private Arena? _arena;
    private Tensor[] _inputs = [];

    /// <summary>Model whose shapes are measured.</summary>
    [ParamsSource(nameof(Models))]
    public string Model { get; set; } = "tiny";

    /// <summary>Where it is measured: cpu, cpu:bf16, cuda or cuda:bf16.</summary>
    [ParamsSource(nameof(Devices))]
    public string Device { get; set; } = Host;

    /// <summary>Those that were asked for and are there.</summary>
    public static IReadOnlyList<string> Devices { get; set; } = [Host];

    public static IEnumerable<string> Models => ModelShapes.All.Select(shape => shape.Name);

    protected ModelShape Shape => ModelShapes.ByName(Model);

    protected IBackend Backend { get; private set; } = null!;

    /// <summary>What a method of this class computes and moves, with the parameters it was given.</summary>
    public abstract Work Of(string method);

    [GlobalSetup]
    public void Open()
    {
        Backend = StepBenchmark.Open(Device, threads: 1);
        _arena = new Arena(Backend, GetType().Name);
        _inputs = Plan(_arena);
        _arena.Commit();
        Refill();
        Prepare();
    }

    /// <summary>Draws the inputs again, as they were before any call.</summary>
    internal void Refill()
    {
        foreach (var tensor in _inputs)
        {
            Draw(tensor);
        }
    }

    /// <summary>Fills a tensor with numbers in ±½, always the same for its name.</summary>
    internal static void Draw(Tensor tensor)
    {
        var stream = Philox.Stream(1, tensor.Name);
        var values = new float[tensor.Shape.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (stream.UInt32(i) * (1f / uint.MaxValue)) - 0.5f;
        }

        tensor.Write(values);
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _arena?.Dispose();
        Backend?.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Takes the op's tensors; those returned are filled with numbers in ±½.</summary>
    protected abstract Tensor[] Plan(Arena arena);

    /// <summary>Fills what needs other numbers, such as positions.</summary>
    protected virtual void Prepare()
    {
    }

    /// <summary>Bytes of so many activations, as the device stores them.</summary>
    protected double Activations(params ReadOnlySpan<long> counts) =>
        Device == "cuda:bf16" ? Sum(counts) * 2 : Wide(counts);

    /// <summary>
    /// Bytes of so many numbers that are fp32 on every device: weights, statistics, the residual stream.
    /// </summary>
    protected static double Wide(params ReadOnlySpan<long> counts) => Sum(counts) * 4;

    private static double Sum(ReadOnlySpan<long> counts)
    {
        var sum = 0L;
        foreach (var count in counts)
        {
            sum += count;
        }

        return sum;
    }
}
