using System.CommandLine;
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
    root.Subcommands.Add(ServeCommand.Create());
    root.Subcommands.Add(BlocksCommand.Create());
    root.Subcommands.Add(CompareCommand.Create());
    root.Subcommands.Add(ProductsCommand.Create());
    root.Subcommands.Add(TurnsCommand.Create());
    root.Subcommands.Add(EncoderCommand.Create());
    root.Subcommands.Add(GrowthCommand.Create());
    root.Subcommands.Add(ScalingCommand.Create());
    root.Subcommands.Add(RanksCommand.Create());
    root.Subcommands.Add(RanksStep.Create());
    root.Subcommands.Add(Llama2cModel.Create());
    root.Subcommands.Add(OpsCommand.Create());
    root.Subcommands.Add(CachesCommand.Create());
    root.Subcommands.Add(DeviceCommand.Create());
    root.Subcommands.Add(DiffCommand.Create());
    var roofline = new Command(
        "roofline", "the limits of one core: multiply-adds, and reading from each level of memory");
    roofline.SetAction(_ => Roofline.Measured.Print(Console.Out));
    root.Subcommands.Add(roofline);
    root.SetAction(_ => List(Console.Out));
    return root;
}

static void List(TextWriter writer)
{
    writer.WriteLine("""
        Limits of this machine
          roofline            multiply-adds and reading from each level of memory, of one core

        Whole steps
          step [options]      a training step or a generation, as one line of JSON; --profile says where the time goes
          encoder [options]   texts through a DeBERTa-v3-large shaped judge, beside the limit of a core and the plan of
                              its memory
          decode [options]    greedy generation beside the read bandwidth of memory, batches, one thread and two
          serve --peer ...    the server's tokens for each CPU second, one sequence and eight, beside libllama's
          blocks --peer ...   decoding over quantized blocks (GGUF) beside libllama over the same file
          growth [options]    a step as tokens, layers, width and length double, beside the operations it must do
                              and the memory it must take; --plot growth.svg draws both
          ranks [options]     a step over ranks of MPI beside one over threads; a model of many machines
          scaling [options]   a step on one thread and on two, with cores free and with others busy on them
          turns --options ... our step with several options, in turn: forms of weights beside each other
          products            products in bf16 beside fp32 and the limit of the bf16 tile, shape by shape

        Beside other engines (benchmarks/peers says how to build each)
          compare --peer ...  our step and peers' in turn: medians, ratios, peak memory
          llama2c --out DIR   the random model in the format of the peer llama2.c

        Single ops
          ops FILTER [MODEL]  by BenchmarkDotNet, with the share of this machine's limit: ops '*Linear*' tiny
          ops --against LIB   your own kernels, a table of C functions, in turn with ours (benchmarks/peers/own)
          caches [OPS]        ops with warm caches and with cold ones
          device [options]    the ops of a step on a GPU, queued, beside its own copy bandwidth

        Two files of results
          diff A.json B.json  lines of step or of ops --json, work by work: faster, slower or noise, with intervals

        Every command says more with --help; benchmarks/results/README.md reads what was measured.

        Classes and methods that ops knows:
        """);
    foreach (var type in OpsCommand.Classes)
    {
        writer.WriteLine($"  {type.Name,-24}{string.Join(", ", OpsCommand.MethodsOf(type))}");
    }

    writer.WriteLine();
    writer.WriteLine("Shapes that --config and ops know:");
    foreach (var shape in ModelShapes.All)
    {
        var c = shape.Config;
        writer.WriteLine(
            $"  {shape.Name,-24}D {c.HiddenSize}, F {c.IntermediateSize}, {c.Layers} layers, "
            + $"{c.Heads}/{c.KeyValueHeads} heads, V {c.VocabularySize}; {shape.Batch} × {shape.Length} tokens");
    }
}
