using System.CommandLine;
using System.Globalization;
using SafeLlama.Kernels;

namespace SafeLlama.Benchmarks;

/// <summary>
/// The products of a training step in bf16, packing and rounding included, beside the rate of the tile alone, the
/// emulation, and fp32.
/// </summary>
internal static class ProductsCommand
{
    /// <summary>Seconds of processor time that one measurement takes at least: many times the clock's step.</summary>
    private const double LeastSeconds = 0.02;

    private static readonly (string Name, int Rows, int Inputs, int Outputs)[] Shapes =
    [
        ("small q", 1024, 768, 768), ("small up", 1024, 768, 2048), ("small down", 1024, 2048, 768),
        ("small head", 512, 768, 32000), ("tiny q", 2048, 256, 256), ("tiny up", 2048, 256, 688),
        ("gqa q", 512, 1024, 1024), ("gqa up", 512, 1024, 2816), ("1.1 B up", 1024, 2048, 5632),
    ];

    public static Command Create()
    {
        var rounds = CommandOptions.One("--rounds", 9, "how often each is measured");
        var shapes = CommandOptions.One("--shapes", Shapes.Length, "how many of the shapes, from the first on");
        var command = new Command("products", "products in bf16 on one core, as a Markdown table") { rounds, shapes };
        command.SetAction(parsed =>
        {
            Run(parsed.GetValue(rounds), Shapes[..Math.Clamp(parsed.GetValue(shapes), 1, Shapes.Length)], Console.Out);
            return 0;
        });
        return command;
    }

    private static void Run(
        int rounds, IEnumerable<(string Name, int Rows, int Inputs, int Outputs)> shapes, TextWriter writer)
    {
        writer.WriteLine($"{MachineStamp.Now}. bf16: {CpuBackend.BFloat16}.\n");
        writer.WriteLine($"GFLOP per CPU second, weights in bf16, {Sample.Rounds(rounds)}.\n");
        writer.WriteLine(
            "| product | bf16, x in fp32 | of the tile | bf16, x in bf16 | of the tile | emulated | of fp32 | fp32 "
            + "| bf16 / fp32 |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|");
        using var fp32 = new CpuBackend(threads: 1);
        using var bf16 = new CpuBackend(threads: 1, DType.BFloat16);
        using var emulated = CpuBackend.EmulatingBFloat16(threads: 1);
        var tile = new Sample();
        WarmUp(fp32, bf16, emulated);
        foreach (var (name, rows, inputs, outputs) in shapes)
        {
            using var wide = new Products(fp32, rows, inputs, outputs);
            using var narrow = new Products(bf16, rows, inputs, outputs);
            using var same = new Products(emulated, rows, inputs, outputs);
            foreach (var (product, flops) in Products.Names.Select(p => (p, 2.0 * rows * inputs * outputs)))
            {
                // The first call of each grows its scratch.
                Sample rounded = new(), kept = new(), emulation = new(), plain = new(), peak = new();
                for (var round = -1; round < rounds; round++)
                {
                    double[] rates =
                    [
                        flops / Seconds(() => narrow.Run(product, false)),
                        flops / Seconds(() => narrow.Run(product, true)),
                        flops / Seconds(() => same.Run(product, false)),
                        flops / Seconds(() => wide.Run(product, false)),
                        CpuBackend.MeasureBFloat16Tile() ?? double.NaN,
                    ];
                    for (var i = 0; i < rates.Length && round >= 0; i++)
                    {
                        new[] { rounded, kept, emulation, plain, peak }[i].Add(rates[i] / (i < 4 ? 1e9 : 1));
                    }
                }

                foreach (var rate in peak.Values)
                {
                    tile.Add(rate);
                }

                writer.WriteLine(
                    $"| {name} {product}, {rows} × {inputs} → {outputs} | {Of(rounded, peak)} | {Of(kept, peak)} "
                    + $"| {Of(emulation, plain)} | {Show(plain.Median, "F0")} "
                    + $"| {Show(rounded.Over(plain).Median, "F2")} |");
                writer.Flush();
            }
        }

        writer.WriteLine($"\nThe tile alone, k = 256: {tile.Text("F0")} GFLOP/s.\n");
    }

    /// <summary>Runs what is measured until the runtime has compiled it for good.</summary>
    private static void WarmUp(params IBackend[] backends)
    {
        const int Turns = 6;
        foreach (var backend in backends)
        {
            using var products = new Products(backend, 256, 256, 256);
            foreach (var product in Products.Names)
            {
                for (var i = 0; i < Turns; i++)
                {
                    _ = Seconds(() => products.Run(product, kept: false));
                    _ = Seconds(() => products.Run(product, kept: backend != backends[0]));
                }
            }
        }
    }

    /// <summary>A rate, and its share of another in the same rounds.</summary>
    private static string Of(Sample rate, Sample limit) =>
        $"{Show(rate.Median, "F0")} | {Show(100 * rate.Over(limit).Median, "F0")}%";

    private static string Show(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>Processor seconds of one call, repeated until the clock can tell.</summary>
    private static double Seconds(Action run)
    {
        var (calls, spent, start) = (0, 0.0, Environment.CpuUsage.TotalTime);
        while (spent < LeastSeconds)
        {
            run();
            calls++;
            spent = (Environment.CpuUsage.TotalTime - start).TotalSeconds;
        }

        return spent / calls;
    }

    /// <summary>The tensors of one linear layer.</summary>
    private sealed class Products : IDisposable
    {
        public static readonly string[] Names = ["y", "dx", "dW"];

        private readonly IBackend _backend;
        private readonly Arena _arena;
        private readonly (Tensor X, Tensor Dy) _wide;
        private readonly (Tensor X, Tensor Dy) _kept;
        private readonly Tensor _weight;
        private readonly Tensor _gradient;
        private readonly (Tensor Y, Tensor Dx) _results;

        public Products(IBackend backend, int rows, int inputs, int outputs)
        {
            _backend = backend;
            _arena = new Arena(backend, "products");
            Tensor Take(int columns, DType type, string name) => _arena.Take(new(rows, columns), type, name);
            _wide = (Take(inputs, DType.Float32, "x"), Take(outputs, DType.Float32, "dy"));
            _kept = (Take(inputs, DType.BFloat16, "x"), Take(outputs, DType.BFloat16, "dy"));
            _weight = _arena.Take(new(outputs, inputs), DType.BFloat16, "weight");
            _gradient = _arena.Take(new(outputs, inputs), DType.Float32, "dweight");
            _results = (Take(outputs, DType.Float32, "y"), Take(inputs, DType.Float32, "dx"));
            _arena.Commit();
            foreach (var tensor in new[] { _wide.X, _wide.Dy, _kept.X, _kept.Dy, _weight })
            {
                OpBenchmark.Draw(tensor);
            }
        }

        public void Run(string product, bool kept)
        {
            var (x, dy) = kept ? _kept : _wide;
            switch (product)
            {
                case "y":
                    _backend.Linear.Forward(x, _weight, _results.Y);
                    break;
                case "dx":
                    _backend.Linear.BackwardInput(dy, _weight, _results.Dx, accumulate: false);
                    break;
                default:
                    _backend.Linear.BackwardWeight(_wide.Dy, x, _gradient, null);
                    break;
            }
        }

        public void Dispose() => _arena.Dispose();
    }
}
