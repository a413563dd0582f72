using System.CommandLine;
using System.Globalization;
using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Benchmarks;

/// <summary>
/// Tokens for each CPU second of the server, one sequence and several, and of libllama in the same run.
/// </summary>
internal static class ServeCommand
{
    private static readonly string[] TokenizerFiles =
        ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"];

    public static Command Create()
    {
        var config = CommandOptions.One("--config", "small", "tiny, small or gqa");
        var batches = CommandOptions.Several("--batch", [1, 8], "sequences side by side; each is measured");
        var generated = CommandOptions.One("--gen", 64, "tokens of one answer");
        var rounds = CommandOptions.One("--rounds", 7, "measurements of each, in turn");
        var threads = CommandOptions.One("--threads", 1, "threads of each program");
        var tokenizer = CommandOptions.One("--tokenizer", "assets/miniature", "a folder with a tokenizer");
        var server = CommandOptions.One(
            "--server", "dotnet src/Cli/bin/Release/net10.0/safellama.dll", "how our program is started");
        var peer = new Option<string?>("--peer")
        {
            Description = "how libllama is started, such as \"dotnet "
                + "benchmarks/peers/libllama/bin/Release/net10.0/peer-libllama.dll\"",
        };
        var command = new Command("serve", "the server's throughput beside libllama's, as a Markdown table")
        {
            config, batches, generated, rounds, threads, tokenizer, server, peer,
        };
        command.SetAction(parsed =>
        {
            var shape = ModelShapes.ByName(parsed.GetValue(config)!);
            var folder = Folder(shape, parsed.GetValue(tokenizer)!);
            Run(new(
                shape.Name, folder, parsed.GetValue(server)!, parsed.GetValue(peer), parsed.GetValue(batches)!,
                parsed.GetValue(generated), parsed.GetValue(rounds), parsed.GetValue(threads)));
        });
        return command;
    }

    private static void Run(Asked asked)
    {
        static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
        using var server = ServeCase.Start(
            asked.Server, "serve", "--model", asked.Folder, "--port", "0", "--threads", Text(asked.Threads), "--slots",
            Text(asked.Batches.Max()), "--max-length", Text(asked.Generated + 8), "--template", "alpaca");
        try
        {
            var line = server.StandardOutput.ReadLine()
                ?? throw SafeLlamaException.Usage($"{asked.Server}: did not start to serve.");
            var (model, address) = (line.Split(" at ")[0], line.Split(" at ")[1][..^"v1".Length]);
            using var client = new HttpClient { BaseAddress = new(address), Timeout = TimeSpan.FromMinutes(10) };
            List<ServeCase> cases = [.. asked.Batches.Select(
                batch => new OwnServeCase(server, client, model, batch, asked.Generated))];
            if (asked.Peer is { } peer)
            {
                var file = Gguf(asked);
                cases.AddRange(asked.Batches.Select(
                    batch => new PeerServeCase(peer, file, asked.Threads, batch, asked.Generated)));
            }

            new OwnServeCase(server, client, model, asked.Batches.Max(), asked.Generated).Measure();
            for (var round = 0; round < asked.Rounds; round++)
            {
                cases.ForEach(each => each.Measure());
            }

            Print(asked, cases);
        }
        finally
        {
            server.Kill();
        }
    }

    private static void Print(Asked asked, List<ServeCase> cases)
    {
        Console.WriteLine($"*{asked.Shape}*, fp32, {asked.Generated} tokens an answer, {asked.Threads} thread(s), "
            + $"{Sample.Rounds(asked.Rounds)}.\n");
        Console.WriteLine("| | batch | tokens/s | tokens per CPU second | of its batch 1 | of libllama |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|");
        foreach (var each in cases)
        {
            var one = cases.First(c => c.Name == each.Name);
            var peer = cases.Find(c => c is PeerServeCase && c.Batch == each.Batch && c != each);
            Console.WriteLine($"| {each.Name} | {each.Batch} | {each.Wall.Text("F1")} | {each.Cpu.Text("F1")} "
                + $"| {(one == each ? "" : each.Cpu.Over(one.Cpu).Text("F2"))} "
                + $"| {(peer is null ? "" : each.Cpu.Over(peer.Cpu).Text("F2"))} |");
        }
    }

    /// <summary>The drawn weights with a configuration and a tokenizer: a folder that any verb opens.</summary>
    private static string Folder(ModelShape shape, string tokenizer)
    {
        var weights = Path.GetFullPath(Path.Combine(RandomModel.Folder(shape, DType.Float32), "model.safetensors"));
        var folder = Path.Combine(Path.GetTempPath(), "safellama-benchmarks", $"serve-{shape.Name}");
        Directory.CreateDirectory(folder);
        var (c, link) = (shape.Config, Path.Combine(folder, "model.safetensors"));
        if (!File.Exists(link))
        {
            File.CreateSymbolicLink(link, weights);
        }

        File.WriteAllText(Path.Combine(folder, "config.json"), string.Create(CultureInfo.InvariantCulture, $$"""
            {
              "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "bos_token_id": 1,
              "eos_token_id": 2, "hidden_size": {{c.HiddenSize}}, "intermediate_size": {{c.IntermediateSize}},
              "num_attention_heads": {{c.Heads}}, "num_key_value_heads": {{c.KeyValueHeads}},
              "num_hidden_layers": {{c.Layers}}, "max_position_embeddings": {{c.MaxPositions}},
              "rms_norm_eps": {{c.RmsNormEpsilon}}, "tie_word_embeddings": {{(c.TieWordEmbeddings ? "true" : "false")}},
              "vocab_size": {{c.VocabularySize}}
            }
            """));
        foreach (var file in TokenizerFiles)
        {
            File.Copy(Path.Combine(tokenizer, file), Path.Combine(folder, file), overwrite: true);
        }

        return folder;
    }

    /// <summary>The same weights as a GGUF file, made by our own export.</summary>
    private static string Gguf(Asked asked)
    {
        var file = asked.Folder + ".gguf";
        if (!File.Exists(file))
        {
            using var export = ServeCase.Start(
                asked.Server, "export", "--model", asked.Folder, "--to", "gguf", "--type", "f32", "--tokenizer", "none",
                "--out", file);
            export.WaitForExit();
        }

        return File.Exists(file) ? file : throw SafeLlamaException.Usage($"{file}: could not be exported.");
    }

    private sealed record Asked(
        string Shape, string Folder, string Server, string? Peer, int[] Batches, int Generated, int Rounds,
        int Threads);
}
