using System.CommandLine;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using SafeLlama.Benchmarks;
using SafeLlama.Common;
using SafeLlama.Kernels;

try
{
    return Root().Parse(args).Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (SafeLlamaException e)
{
    Console.Error.WriteLine(e.Message);
    return (int)e.Code;
}

static RootCommand Root()
{
    var list = new Option<bool>("--list") { Description = "say what can be measured, and how" };
    var root = new RootCommand("Measures SafeLlama: whole steps, single ops, and the limits of this machine.") { list };
    root.Subcommands.Add(StepOptions.Command(StepBenchmark.Run));
    root.Subcommands.Add(DecodeCommand.Create());
    root.Subcommands.Add(CompareCommand.Create());
    root.Subcommands.Add(GrowthCommand.Create());
    root.Subcommands.Add(ScalingCommand.Create());
    root.Subcommands.Add(Llama2cModel.Create());
    root.Subcommands.Add(Ops());
    root.Subcommands.Add(DeviceCommand.Create());
    var roofline = new Command("roofline", "the limits of one core: multiply-adds, and reading from each level of memory");
    roofline.SetAction(_ => Roofline.Measured.Print(Console.Out));
    root.Subcommands.Add(roofline);
    root.SetAction(_ => List(Console.Out));
    return root;
}

// Everything after `ops` is BenchmarkDotNet's own.
static Command Ops()
{
    var rest = new Argument<string[]>("filter") { Description = "for example *Linear*; a further word such as tiny keeps one model" };
    var command = new Command("ops", "single ops, forward and backward, each beside the limit that holds it") { rest };
    command.SetAction(parsed =>
    {
        var words = parsed.GetValue(rest)!;
        var config = ManualConfig.CreateEmpty()
            .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
            .AddColumn(TargetMethodColumn.Method, StatisticColumn.Median, ThroughputColumn.Flops, ThroughputColumn.Bytes, ThroughputColumn.OfLimit)
            .AddColumnProvider(DefaultColumnProviders.Params)
            .AddLogger(ConsoleLogger.Default)
            .AddExporter(MarkdownExporter.GitHub);
        foreach (var word in words.Skip(1))
        {
            config.AddFilter(new BenchmarkDotNet.Filters.SimpleFilter(c =>
                c.Parameters.Items.Any(p => p.Name == nameof(OpBenchmark.Model) && Equals(p.Value, word))));
        }

        if (!OpenBlas.IsInstalled)
        {
            Console.WriteLine("OpenBLAS is not installed (libopenblas.so.0): its baselines are left out.");
            config.AddFilter(new BenchmarkDotNet.Filters.SimpleFilter(c => !c.Descriptor.HasCategory(OpenBlas.Category)));
        }
        else
        {
            Console.WriteLine($"OpenBLAS computes its baselines with kernels for {OpenBlas.CoreName}"
                + (OpenBlas.ForcedCore is null ? "." : ", which OPENBLAS_CORETYPE forces: unset it for its best form."));
        }

        BenchmarkSwitcher.FromAssembly(typeof(OpBenchmark).Assembly).Run(["--filter", words.FirstOrDefault() ?? "*"], config);
    });
    return command;
}

static void List(TextWriter writer)
{
    writer.WriteLine("""
        Limits of this machine
          roofline            multiply-adds and reading from each level of memory, of one core

        Whole steps
          step [options]      a training step or a generation, as one line of JSON; step --profile says where the time goes
          decode [options]    greedy generation beside the read bandwidth of memory, batches, one thread and two
          growth [options]    a step as tokens, layers, width and length double, beside the operations it must do
                              and the memory it must take; --plot growth.svg draws both
          scaling [options]   a step on one thread and on two, with cores free and with others busy on them

        Beside other engines (benchmarks/peers says how to build each)
          compare --peer ...  our step and peers' in turn: medians, ratios, peak memory
          llama2c --out DIR   the random model in the format of the peer llama2.c

        Single ops
          ops FILTER [MODEL]  by BenchmarkDotNet, with the share of this machine's limit: ops '*Linear*' tiny

        Every command says more with --help; benchmarks/results/README.md reads what was measured.

        Classes and methods that ops knows:
        """);
    foreach (var type in typeof(OpBenchmark).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(OpBenchmark))).OrderBy(t => t.Name))
    {
        var methods = type.GetMethods()
            .Where(m => m.IsDefined(typeof(BenchmarkDotNet.Attributes.BenchmarkAttribute), inherit: false)).Select(m => m.Name);
        writer.WriteLine($"  {type.Name,-24}{string.Join(", ", methods)}");
    }

    writer.WriteLine();
    writer.WriteLine("Shapes that --config and ops know:");
    foreach (var shape in ModelShapes.All)
    {
        var c = shape.Config;
        writer.WriteLine(
            $"  {shape.Name,-24}D {c.HiddenSize}, F {c.IntermediateSize}, {c.Layers} layers, {c.Heads}/{c.KeyValueHeads} heads, V {c.VocabularySize}; {shape.Batch} × {shape.Length} tokens");
    }
}
