using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Benchmarks;

/// <summary>One op to be timed on a device.</summary>
/// <param name="Name">The op and its shape.</param>
/// <param name="Work">What it computes and moves.</param>
/// <param name="Run">Queues it once.</param>
internal sealed record DeviceCase(string Name, Work Work, Action Run);

/// <summary>The ops of a training step at a model's shapes, over memory of a device.</summary>
/// <remarks>Each tensor is counted once for reading and once for writing; a copy of [N, F] is the yardstick.</remarks>
internal sealed class DeviceCases : IDisposable
{
    private const int Rank = StepBenchmark.Rank;

    private readonly IBackend _backend;
    private readonly ModelShape _shape;
    private readonly List<Arena> _arenas = [];

    /// <param name="backend">Where to measure; it stays open.</param>
    /// <param name="shape">N = B · T rows, D, F, V.</param>
    public DeviceCases(IBackend backend, ModelShape shape) => (_backend, _shape) = (backend, shape);

    public IEnumerable<DeviceCase> All() => [.. Walks(), .. Products(), .. Attention(), .. Decoding()];

    public void Dispose() => _arenas.ForEach(arena => arena.Dispose());

    private IEnumerable<DeviceCase> Walks()
    {
        var (c, n) = (_shape.Config, _shape.Rows);
        var (d, f, v) = (c.HiddenSize, c.IntermediateSize, c.VocabularySize);
        var rows = Ints("rows", n, i => i);
        var (wide, wide2, wide3) = (Take("f1", n, f), Take("f2", n, f), Take("f3", n, f));
        yield return Walk($"copy [{n}, {f}]", () => _backend.Elementwise.GatherRows(wide, rows, wide2), wide, wide2);
        yield return Walk(
            $"SwiGlu forward [{n}, {f}]", () => _backend.SwiGlu.Forward(wide, wide2, wide3), wide, wide2, wide3);
        yield return Walk(
            $"SwiGlu backward [{n}, {f}]", () => _backend.SwiGlu.Backward(wide3, wide, wide2, wide2, wide3),
            wide, wide2, wide3, wide2, wide3);

        var (h, h2) = (Accumulated("h", n, d), Accumulated("h2", n, d));
        var (x, rstd, weight) = (Take("x", n, d), Vector("rstd", n), Vector("norm", d));
        yield return Walk(
            $"RmsNorm forward [{n}, {d}]", () => _backend.RmsNorm.Forward(h, weight, 1e-5, x, rstd), h, x);
        yield return Walk(
            $"RmsNorm backward [{n}, {d}]", () => _backend.RmsNorm.Backward(x, h, weight, rstd, h2, null),
            x, h, h2, h2);

        var half = _shape.Config.HeadDim / 2;
        var (cos, sin) = (Accumulated("cos", _shape.Length, half), Accumulated("sin", _shape.Length, half));
        var positions = Ints("positions", n, i => i % _shape.Length);
        yield return Walk($"Rope [{n}, {d}]", () => _backend.Rope.Forward(x, positions, cos, sin), x, x);

        var chunk = Math.Min(n, 1024);
        var (logits, nll, logSum) = (Take("logits", chunk, v), Vector("nll", chunk), Vector("log_sum", chunk));
        var targets = Ints("targets", chunk, i => i % v);
        yield return Walk(
            $"CrossEntropy forward [{chunk}, {v}]",
            () => _backend.CrossEntropy.Forward(logits, targets, nll, logSum), logits);
        yield return Walk(
            $"CrossEntropy backward [{chunk}, {v}]",
            () => _backend.CrossEntropy.Backward(logits, targets, logSum, 1, logits), logits, logits);

        Tensor Moment(string name) => Accumulated(name, 4096, d);
        var (value, gradient, m1, m2) = (Moment("value"), Moment("gradient"), Moment("m"), Moment("v"));
        var norm = Plan("norm", new(1), DType.Float64);
        var step = new AdamWStep(1e-3, 0.9, 0.999, 1e-8, 0, 1, 1);
        yield return Walk(
            $"AdamW [4096, {d}]", () => _backend.AdamW.Update(value, gradient, m1, m2, step, norm),
            value, gradient, m1, m2, value, m1, m2);
    }

    private IEnumerable<DeviceCase> Products()
    {
        foreach (var (name, outputs, inputs) in _shape.Linears)
        {
            var (n, weight) = (_shape.Rows, Plan("w " + name, new(outputs, inputs), DType.BFloat16));
            var (x, dx) = (Take("x " + name, n, inputs), Take("dx " + name, n, inputs));
            var y = Take("y " + name, n, outputs);
            var flops = 2.0 * n * outputs * inputs;
            yield return Product(
                $"y = x Wᵀ, {name} [{n}, {inputs}] → {outputs}", flops,
                () => _backend.Linear.Forward(x, weight, y));
            yield return Product(
                $"dx = dy W, {name}", flops, () => _backend.Linear.BackwardInput(y, weight, dx, accumulate: false));

            var (a, b) = (Accumulated("a " + name, Rank, inputs), Accumulated("b " + name, outputs, Rank));
            var u = Take("u " + name, n, Rank);
            yield return Product(
                $"y = x Wᵀ + s · x Aᵀ Bᵀ, {name}, r = {Rank}", flops + (2.0 * n * Rank * (inputs + outputs)),
                () => _backend.Linear.Forward(x, weight, new LoraTerm(a, b, 2, Dropout.None, u), default, y));
            if (name == "up")
            {
                var (gate, product) = (Take("gate", n, outputs), Take("product", n, outputs));
                yield return Product(
                    $"y = x Wᵀ, gated, {name}", flops,
                    () => _backend.Linear.Forward(x, weight, null, new(Gate: gate, Gated: product), y));
            }
            else if (name == "down")
            {
                var (stream, further) = (Accumulated("stream", n, outputs), Accumulated("further", n, outputs));
                yield return Product(
                    $"y = x Wᵀ + residual, {name}", flops,
                    () => _backend.Linear.Forward(x, weight, null, new(Residual: stream), further));
            }

            var (one, answer) = (Take("1 " + name, 1, inputs), Take("y1 " + name, 1, outputs));
            yield return new($"decode, {name} [1, {inputs}] → {outputs}",
                new(0, weight.ByteCount), () => _backend.Linear.Forward(one, weight, answer));
        }
    }

    private IEnumerable<DeviceCase> Attention()
    {
        var c = _shape.Config;
        var (n, queries, keys) = (_shape.Rows, c.Heads * c.HeadDim, c.KeyValueHeads * c.HeadDim);
        var (q, k, v, y) = (Take("q", n, queries), Take("k", n, keys), Take("v", n, keys), Take("mixed", n, queries));
        var (logSum, delta) = (Accumulated("log_sum2", n, c.Heads), Accumulated("delta", n, c.Heads));
        var (dq, dk, dv) = (Take("dq", n, queries), Take("dk", n, keys), Take("dv", n, keys));
        var (first, last) = (Ints("first", n, i => i / _shape.Length * _shape.Length), Ints("last", n, i => i));
        var input = new AttentionInput(q, k, v, first, last, c.HeadDim, 1 / Math.Sqrt(c.HeadDim));
        var pairs = (double)_shape.Batch * _shape.Length * (_shape.Length + 1) / 2 * queries;
        yield return Product(
            $"attention forward {_shape.Batch} × {_shape.Length}, {c.Heads} heads of {c.HeadDim}", 4 * pairs,
            () => _backend.Attention.Forward(input, y, logSum));
        yield return Product(
            "attention backward", 10 * pairs,
            () => _backend.Attention.Backward(y, input, y, logSum, delta, new(dq, dk, dv)));
    }

    /// <summary>One token of each of a few sequences, over a cache of 4096 tokens each.</summary>
    private IEnumerable<DeviceCase> Decoding()
    {
        const int Cached = 4096;
        var c = _shape.Config;
        foreach (var sequences in new[] { 1, 8 })
        {
            var (queries, keys) = (c.Heads * c.HeadDim, c.KeyValueHeads * c.HeadDim);
            var (q, y) = (Take("q1", sequences, queries), Take("mixed1", sequences, queries));
            var (k, v) = (Take("keys", sequences * Cached, keys), Take("values", sequences * Cached, keys));
            var logSum = Accumulated("log_sum1", sequences, c.Heads);
            var (first, last) = (
                Ints("first1", sequences, i => i * Cached), Ints("last1", sequences, i => ((i + 1) * Cached) - 1));
            yield return Walk($"attention of {sequences} × 1 over {Cached}, {c.KeyValueHeads} key heads of {c.HeadDim}",
                () => _backend.Attention.Forward(
                    new(q, k, v, first, last, c.HeadDim, 1 / Math.Sqrt(c.HeadDim)), y, logSum), q, k, v, y);
        }
    }

    private static DeviceCase Walk(string name, Action run, params Tensor[] moved) =>
        new(name, new(0, moved.Sum(t => (double)t.ByteCount)), run);

    private static DeviceCase Product(string name, double flops, Action run) => new(name, new(flops, 0), run);

    private Tensor Take(string name, int rows, int columns) => Plan(name, new(rows, columns), _backend.Activation);

    private Tensor Accumulated(string name, int rows, int columns) =>
        Plan(name, new(rows, columns), _backend.Accumulation);

    private Tensor Vector(string name, int count) => Plan(name, new(count), _backend.Accumulation);

    private Tensor Ints(string name, int count, Func<int, int> value)
    {
        var tensor = Plan(name, new(count), DType.Int32);
        tensor.Write([.. Enumerable.Range(0, count).Select(value)]);
        return tensor;
    }

    /// <summary>
    /// Memory of small numbers: the first rows are drawn, and what they hold does not change the time.
    /// </summary>
    private Tensor Plan(string name, Shape shape, DType type)
    {
        var arena = new Arena(_backend, name);
        _arenas.Add(arena);
        var tensor = arena.Take(shape, type, name);
        arena.Commit();
        if (type is DType.Float32 or DType.BFloat16 && shape.Rank == 2)
        {
            var drawn = tensor.Slice(0, Math.Min(64, tensor.Rows));
            var stream = Philox.Stream(1, name);
            drawn.Write([.. Enumerable.Range(0, (int)drawn.Shape.Count).Select(i => 0.1 * stream.Normal(i))]);
        }

        return tensor;
    }
}
