using System.CommandLine;
using System.Reflection;
using BenchmarkDotNet.Attributes;
using SafeLlama.Kernels;

namespace SafeLlama.Benchmarks;

/// <summary>
/// <c>caches</c>: every op called again and again, and called once after its tensors have left the caches.
/// </summary>
/// <remarks>
/// A loop over one op finds its tensors in a cache; in a training step another op has been there before. The truth of
/// a step lies between both. Inputs are drawn anew before every timed call, so that an op that writes over its inputs
/// always starts from the same numbers.
/// </remarks>
internal static class CachesCommand
{
    /// <summary>Far more than the last cache holds.</summary>
    private const long ReadBytes = 512L << 20;

    public static Command Create()
    {
        var words = new Argument<string[]>("ops")
        {
            Description = "words in the names of classes, such as Linear; none means all",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var config = CommandOptions.One("--config", "tiny", "the model whose shapes are taken");
        var rounds = CommandOptions.One("--rounds", 9, "timed calls of each kind");
        var command = new Command("caches", "ops with warm caches and with cold ones, one core, as a Markdown table")
        {
            words, config, rounds,
        };
        command.SetAction(parsed =>
        {
            var wanted = parsed.GetValue(words) ?? [];
            var classes = OpsCommand.Classes.Where(type => wanted.Length == 0 || wanted.Any(
                word => type.Name.Contains(word, StringComparison.OrdinalIgnoreCase)));
            Print(classes, ModelShapes.ByName(parsed.GetValue(config)!), parsed.GetValue(rounds), Console.Out);
        });
        return command;
    }

    private static void Print(IEnumerable<Type> classes, ModelShape shape, int rounds, TextWriter writer)
    {
        writer.WriteLine($"{MachineStamp.Now}.\n\n*{shape.Name}*, one core, {Sample.Rounds(rounds)}.\n");
        writer.WriteLine("| op | warm, µs | cold, µs | cold / warm | of its limit, warm | cold |");
        writer.WriteLine("|---|---:|---:|---:|---:|---:|");
        using var memory = new MemoryRead(ReadBytes);
        foreach (var type in classes)
        {
            using var op = (OpBenchmark)Activator.CreateInstance(type)!;
            op.Model = shape.Name;
            op.Open();
            foreach (var method in OpsCommand.MethodsOf(type).Select(name => type.GetMethod(name)!))
            {
                if (method.GetCustomAttribute<BenchmarkCategoryAttribute>()?.Categories.Contains(OpenBlas.Category)
                    != true || OpenBlas.IsInstalled)
                {
                    writer.WriteLine(Row(op, method, memory, rounds));
                }
            }
        }
    }

    private static string Row(OpBenchmark op, MethodInfo method, MemoryRead memory, int rounds)
    {
        void Call() => method.Invoke(op, null);
        Call();
        var (warm, cold) = (new Sample(), new Sample());
        for (var round = 0; round < rounds; round++)
        {
            op.Refill();
            Call();
            warm.Add(Time(Call));
            op.Refill();
            memory.Pass(1);
            cold.Add(Time(Call));
        }

        var work = op.Of(method.Name);
        return $"| {method.DeclaringType!.Name.Replace("Benchmarks", "", StringComparison.Ordinal)}.{method.Name} "
            + $"| {warm.Median * 1e6:F1} | {cold.Median * 1e6:F1} | {cold.Over(warm).Text("F2")} "
            + $"| {Roofline.Measured.Text(work, warm.Median)} | {Roofline.Measured.Text(work, cold.Median)} |";
    }

    /// <summary>Seconds of processor time.</summary>
    private static double Time(Action call)
    {
        var start = Environment.CpuUsage.TotalTime;
        call();
        return Math.Max(1e-7, (Environment.CpuUsage.TotalTime - start).TotalSeconds);
    }
}
