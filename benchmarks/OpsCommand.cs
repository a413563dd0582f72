using System.CommandLine;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Filters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using SafeLlama.Kernels;

namespace SafeLlama.Benchmarks;

/// <summary>Single ops by BenchmarkDotNet, on every device that is asked for and there.</summary>
internal static class OpsCommand
{
    public static IEnumerable<Type> Classes => typeof(OpBenchmark).Assembly.GetTypes()
        .Where(type => type.IsSubclassOf(typeof(OpBenchmark))).OrderBy(type => type.Name);

    public static IEnumerable<string> MethodsOf(Type type) => type.GetMethods()
        .Where(method => method.IsDefined(typeof(BenchmarkAttribute), inherit: false)).Select(method => method.Name);

    public static Command Create()
    {
        var words = new Argument<string[]>("filter")
        {
            Description = "for example *Linear*; a further word such as tiny keeps one model",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var devices = CommandOptions.Several(
            "--device", [OpBenchmark.Host, "cuda", "cuda:bf16"], "each is measured; one that is not there is left out");
        devices.AcceptOnlyFromAmong(OpBenchmark.Host, "cuda", "cuda:bf16");
        var command = new Command("ops", "single ops, forward and backward, each beside the limit that holds it")
        {
            words, devices,
        };
        command.SetAction(parsed =>
        {
            OpBenchmark.Devices = Found(parsed.GetValue(devices)!);
            var filter = parsed.GetValue(words) ?? [];
            BenchmarkSwitcher.FromAssembly(typeof(OpBenchmark).Assembly)
                .Run(["--filter", filter.FirstOrDefault() ?? "*"], Config([.. filter.Skip(1)]));
        });
        return command;
    }

    private static ManualConfig Config(string[] models)
    {
        var config = ManualConfig.CreateEmpty()
            .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
            .AddColumn(
                TargetMethodColumn.Method, StatisticColumn.Median, ThroughputColumn.Flops, ThroughputColumn.Bytes,
                ThroughputColumn.OfLimit)
            .AddColumnProvider(DefaultColumnProviders.Params)
            .AddLogger(ConsoleLogger.Default)
            .AddExporter(MarkdownExporter.GitHub)
            .AddFilter(new SimpleFilter(c =>
                Parameter(c, nameof(OpBenchmark.Device)) == OpBenchmark.Host
                || !c.Descriptor.HasCategory(OpBenchmark.HostOnly)));
        if (models.Length > 0)
        {
            config.AddFilter(new SimpleFilter(c => models.Contains(Parameter(c, nameof(OpBenchmark.Model)))));
        }

        if (!OpenBlas.IsInstalled)
        {
            Console.WriteLine("OpenBLAS is not installed (libopenblas.so.0): its baselines are left out.");
            config.AddFilter(new SimpleFilter(c => !c.Descriptor.HasCategory(OpenBlas.Category)));
        }
        else
        {
            Console.WriteLine($"OpenBLAS computes its baselines with kernels for {OpenBlas.CoreName}"
                + (OpenBlas.ForcedCore is null ? "." : ", which OPENBLAS_CORETYPE forces: unset it to see its best."));
        }

        return config;
    }

    /// <summary>The devices that are there; one line says why others are not.</summary>
    private static string[] Found(string[] devices)
    {
        var cuda = DeviceReport.List().First(report => report.Kind == "cuda");
        string[] absent = [.. devices.Where(device => device != OpBenchmark.Host && cuda.Problem is not null)];
        if (absent.Length > 0)
        {
            Console.WriteLine($"{string.Join(" and ", absent)}: left out, {cuda.Problem}.");
        }

        return [.. devices.Except(absent)];
    }

    private static string? Parameter(BenchmarkCase benchmark, string name) =>
        benchmark.Parameters.Items.FirstOrDefault(p => p.Name == name)?.Value as string;
}
