using SafeLlama.Common;

namespace SafeLlama.Kernels.Tests;

/// <summary>
/// The tensors of one test on one backend. Equal names and shapes hold equal numbers on every backend.
/// </summary>
internal sealed class TestTensors(IBackend backend) : IDisposable
{
    private readonly List<Arena> _arenas = [];
    private readonly Dictionary<string, double[]> _replaced = [];

    public IBackend Backend => backend;

    /// <summary>Whether gradients that ops add to begin at zero, or at random numbers that must survive.</summary>
    public bool GradientsStartAtZero { get; init; }

    /// <summary>The numbers that inputs were filled with, by name.</summary>
    public Dictionary<string, double[]> Inputs { get; } = [];

    /// <summary>An input of normal numbers, drawn for its name, exact in its type and in fp32.</summary>
    public Tensor Input(string name, Shape shape, DType? type = null, double scale = 1)
    {
        var tensor = Take(name, shape, type ?? backend.Activation);
        if (!_replaced.TryGetValue(name, out var values))
        {
            values = Normal(name, shape, scale);
            if (type is not null && type != DType.Float64)
            {
                tensor.Write(values);
                values = tensor.ReadDoubles();
            }
        }

        tensor.Write(values);
        Inputs[name] = values;
        return tensor;
    }

    /// <summary>An input of given numbers, in the backend's activation type unless another is given.</summary>
    public Tensor Input(string name, Shape shape, double[] values, DType? type = null)
    {
        var tensor = Take(name, shape, type ?? backend.Activation);
        tensor.Write(_replaced.TryGetValue(name, out var replaced) ? replaced : values);
        Inputs[name] = values;
        return tensor;
    }

    public Tensor Ints(string name, params int[] values)
    {
        var tensor = Take(name, new(values.Length), DType.Int32);
        tensor.Write(values);
        return tensor;
    }

    /// <summary>Where an op writes: filled with numbers that must not survive.</summary>
    public Tensor Output(string name, Shape shape, DType? type = null)
    {
        var tensor = Take(name, shape, type ?? backend.Activation);
        tensor.Write(Enumerable.Repeat(7.0, (int)shape.Count).ToArray());
        return tensor;
    }

    /// <summary>Where an op adds.</summary>
    public Tensor Gradient(string name, Shape shape, DType? type = null)
    {
        var tensor = Take(name, shape, type ?? backend.Activation);
        if (!GradientsStartAtZero)
        {
            tensor.Write(Normal(name, shape, 1));
        }

        return tensor;
    }

    /// <summary>From now on the input of this name is these numbers.</summary>
    public void Replace(string name, double[] values) => _replaced[name] = values;

    /// <summary>Σ y · dy, a loss whose gradient with respect to y is the input <c>dy</c>.</summary>
    public double Weigh(Tensor y) => y.ReadDoubles().Zip(Input("dy", y.Shape).ReadDoubles(), (a, b) => a * b).Sum();

    public void Dispose() => _arenas.ForEach(arena => arena.Dispose());

    private static double[] Normal(string name, Shape shape, double scale)
    {
        var stream = Philox.Stream(1, name);
        return [.. Enumerable.Range(0, (int)shape.Count).Select(i => (double)(float)(scale * stream.Normal(i)))];
    }

    private Tensor Take(string name, Shape shape, DType type)
    {
        var arena = new Arena(backend, name);
        _arenas.Add(arena);
        var tensor = arena.Take(shape, type, name);
        arena.Commit();
        return tensor;
    }
}
