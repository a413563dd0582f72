using System.CommandLine;
using SafeLlama.Model;

namespace SafeLlama.Benchmarks;

/// <summary>Greedy decoding of one sequence over quantized blocks, in turn with libllama over the same file.</summary>
internal static class BlocksCommand
{
    private static readonly string[] Known = ["q8_0", "q4_0", "q4_k_m", "q6_k"];

    public static Command Create()
    {
        var config = CommandOptions.One("--config", "small", "tiny, small or gqa");
        var types = new Option<string[]>("--types")
        {
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => Known,
            Description = "GGUF types; each is measured",
        };
        types.AcceptOnlyFromAmong(Known);
        var generated = CommandOptions.One("--gen", 64, "tokens of one answer");
        var rounds = CommandOptions.One("--rounds", 7, "measurements of each, in turn");
        var threads = CommandOptions.One("--threads", 1, "threads of each program");
        var peer = new Option<string>("--peer")
        {
            Required = true,
            Description = "how libllama is started, such as \"dotnet "
                + "benchmarks/peers/libllama/bin/Release/net10.0/peer-libllama.dll\"",
        };
        var command = new Command("blocks", "decoding over quantized blocks beside libllama, as a Markdown table")
        {
            config, types, generated, rounds, threads, peer,
        };
        command.SetAction(parsed => Run(
            ModelShapes.ByName(parsed.GetValue(config)!), parsed.GetValue(types)!, parsed.GetValue(peer)!,
            (parsed.GetValue(generated), parsed.GetValue(rounds), parsed.GetValue(threads)), Console.Out));
        return command;
    }

    private static void Run(
        ModelShape shape, string[] types, string peer, (int Generated, int Rounds, int Threads) size, TextWriter writer)
    {
        List<Pair> pairs = [.. types.Select(type => new Pair(type, new PeerServeCase(
            peer, RandomModel.File(shape, Enum.Parse<GgufFormat>(type, ignoreCase: true)), size.Threads, batch: 1,
            size.Generated)))];
        for (var round = 0; round < size.Rounds; round++)
        {
            Console.Error.WriteLine($"round {round + 1} of {size.Rounds}");
            foreach (var pair in pairs)
            {
                var own = StepProgram.Own.Run(
                    $"--config {shape.Name} --mode decode --dtype {pair.Type} --gen {size.Generated} "
                    + $"--threads {size.Threads} --steps 3 --warmup 3");
                pair.Own.Add(size.Generated / own.CpuSeconds);
                pair.Peer.Measure();
            }
        }

        writer.WriteLine($"*{shape.Name}*, batch 1, {size.Generated} tokens, {size.Threads} thread(s), "
            + $"{Sample.Rounds(size.Rounds)}; tokens per CPU second.\n");
        writer.WriteLine("| type | ours | libllama | ours / libllama |");
        writer.WriteLine("|---|---:|---:|---:|");
        foreach (var pair in pairs)
        {
            writer.WriteLine($"| {pair.Type.ToUpperInvariant()} | {pair.Own.Text("F0")} | {pair.Peer.Cpu.Text("F0")} "
                + $"| {pair.Own.Over(pair.Peer.Cpu).Text("F2")} |");
        }

        writer.Flush();
    }

    /// <param name="Type">How the weights are stored.</param>
    /// <param name="Peer">libllama, a process of its own each time.</param>
    private sealed record Pair(string Type, PeerServeCase Peer)
    {
        /// <summary>Ours, in tokens for each second of a processor.</summary>
        public Sample Own { get; } = new();
    }
}
