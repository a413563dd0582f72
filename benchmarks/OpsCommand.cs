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
using SafeLlama.Common;
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
            "--device", [OpBenchmark.Host, "cuda", "cuda:bf16"],
            "each is measured, cpu:bf16 where it is named; one that is not there is left out");
        devices.AcceptOnlyFromAmong(OpBenchmark.Host, OpBenchmark.HostNarrow, "cuda", "cuda:bf16");
        var json = new Option<string?>("--json")
        {
            Description = "also append every op to this file as a line of JSON, for diff",
        };
        var against = new Option<string?>("--against")
        {
            Description = "a library of your own kernels: they run in turn with ours instead (benchmarks/peers/own)",
        };
        var command = new Command("ops", "single ops, forward and backward, each beside the limit that holds it")
        {
            words, devices, json, against,
        };
        command.SetAction(parsed =>
        {
            Console.WriteLine($"{MachineStamp.Now}.");
            if (parsed.GetValue(against) is { } library)
            {
                Against(library, parsed);
                return;
            }

            OpBenchmark.Devices = Found(parsed.GetValue(devices)!);
            var filter = parsed.GetValue(words) ?? [];
            var config = Config([.. filter.Skip(1)]);
            RequireMatch(filter, config);
            var summaries = BenchmarkSwitcher.FromAssembly(typeof(OpBenchmark).Assembly)
                .Run(["--filter", filter.FirstOrDefault() ?? "*"], config);
            if (parsed.GetValue(json) is { } file)
            {
                var lines = summaries.SelectMany(summary => summary.Reports).Select(OpLine.Of).OfType<OpLine>();
                File.AppendAllLines(file, lines.Select(line => line.ToString()));
            }

            foreach (var device in OpBenchmark.Devices)
            {
                Check(device);
            }
        });
        return command;

        void Against(string library, ParseResult parsed)
        {
            if (parsed.GetResult(devices) is { Implicit: false } || parsed.GetValue(json) is not null)
            {
                throw SafeLlamaException.Usage("--against: runs on one core and prints a table; "
                    + "--device and --json do not go with it.");
            }

            using var own = new OwnKernels(library);
            var model = parsed.GetValue(words)?.FirstOrDefault() ?? ModelShapes.Tiny.Name;
            new AgainstTable(own, ModelShapes.ByName(model), rounds: 9).Print(Console.Out);
        }
    }

    /// <summary>Words that name nothing are refused, before anything is measured.</summary>
    /// <exception cref="SafeLlamaException">They name nothing.</exception>
    internal static void RequireMatch(string[] words, ManualConfig config)
    {
        var filtered = ManualConfig.Union(config, ManualConfig.CreateEmpty().AddFilter(
            new GlobFilter([words.FirstOrDefault() ?? "*"])));
        if (Classes.All(type => BenchmarkConverter.TypeToBenchmarks(type, filtered).BenchmarksCases.Length == 0))
        {
            throw SafeLlamaException.Usage(
                $"ops {string.Join(' ', words)}: names no op that can be measured here, expected a pattern such as "
                + "*Linear* and, behind it, a model such as tiny; benchmarks --list names both.");
        }
    }

    /// <summary>A time is worth something only if what was timed computes the right numbers, and still does.</summary>
    private static void Check(string device)
    {
        using var backend = StepBenchmark.Open(device, threads: 1);
        List<HealthCheck> checks = [.. OpChecks.Run(backend)];
        foreach (var failed in checks.Where(check => !check.Passed))
        {
            Console.WriteLine($"{device}: {failed.Name}: differs from fp64 by {failed.Seen:G3}, "
                + $"expected at most {failed.Tolerance:G3} ({failed.Reason}).");
        }

        Console.WriteLine(
            $"{device}: after the timing, {checks.Count(c => c.Passed)} of {checks.Count} checks of all ops agree with "
            + "fp64.");
        if (checks.Exists(check => !check.Passed))
        {
            throw SafeLlamaException.InvalidData($"{device}: an op is wrong; its times mean nothing.");
        }
    }

    internal static ManualConfig Config(string[] models)
    {
        var config = ManualConfig.CreateEmpty()
            .AddJob(Job.ShortRun.WithIterationCount(9).WithToolchain(InProcessEmitToolchain.Instance))
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
        string[] absent = cuda.Problem is null
            ? []
            : [.. devices.Where(device => device.StartsWith("cuda", StringComparison.Ordinal))];
        if (absent.Length > 0)
        {
            Console.WriteLine($"{string.Join(" and ", absent)}: left out, {cuda.Problem}.");
        }

        return [.. devices.Except(absent)];
    }

    private static string? Parameter(BenchmarkCase benchmark, string name) =>
        benchmark.Parameters.Items.FirstOrDefault(p => p.Name == name)?.Value as string;
}
