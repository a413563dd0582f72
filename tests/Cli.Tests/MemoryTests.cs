using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

public sealed class MemoryTests
{
    /// <summary>Beyond the weights: activations of 512 tokens, the loss head's chunk, the runtime.</summary>
    private const long Allowance = 1_500_000_000;

    [Test]
    [Slow("a made-up checkpoint of 1.1 B parameters (2.2 GB) takes a training step.")]
    public void A_large_checkpoint_takes_a_step_within_its_own_size_and_a_little()
    {
        var (folder, weights) = Checkpoint();
        var (peak, _) = Peak(folder);
        TestContext.Out.WriteLine($"weights {weights / 1e9:F2} GB, peak {peak / 1e9:F2} GB");
        Assert.That(peak, Is.GreaterThan(0).And.LessThan(weights + Allowance));
    }

    /// <summary>The table of docs/memory.md comes from the same plan.</summary>
    [TestCase("nf4", 1.5e9)]
    [TestCase("int8", 2.2e9)]
    [TestCase("int8-weights", 2.2e9)]
    [Slow("a made-up checkpoint of 1.1 B parameters (2.2 GB) takes a training step over quantized weights.")]
    public void A_quantized_base_takes_a_step_within_its_plan(string load, double most)
    {
        var (folder, _) = Checkpoint();
        var (peak, planned) = Peak(folder, "--load", load, "--recompute", "block");
        TestContext.Out.WriteLine($"{load}: planned {planned / 1e9:F2} GB, peak {peak / 1e9:F2} GB");
        Assert.That(peak, Is.LessThan(most).And.LessThan(planned).And.GreaterThan(planned * 0.6));
    }

    private static (string Folder, long Weights) Checkpoint()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Ignore("The peak of a process's memory is read from /proc, which only Linux has.");
        }

        var folder = TestFiles.NewFolder();
        var weights = MakeCheckpoint(folder);
        return (folder, weights);
    }

    /// <summary>The peak of a process that takes a step, and what it planned.</summary>
    private static (long Peak, long Planned) Peak(string folder, params string[] more)
    {
        var rows = Path.Combine(folder, "rows.jsonl");
        var count = string.Join(' ', Enumerable.Range(0, 600));
        File.WriteAllText(rows, $$"""{"instruction": "Count.", "input": "", "output": "{{count}}"}""" + "\n");
        using var process = Process.Start(new ProcessStartInfo("dotnet",
        [
            Path.Combine(AppContext.BaseDirectory, "safellama.dll"), "train", "--model", folder, "--data", rows,
            "--max-length", "512", "--steps", "1", "--batch-size", "1", "--micro-batch", "1", "--validation", "0",
            "--out", Path.Combine(folder, "run"), .. more,
        ]))!;
        var peak = 0L;
        while (!process.WaitForExit(200))
        {
            peak = Math.Max(peak, PeakBytes(process.Id));
        }

        Assert.That(process.ExitCode, Is.Zero);
        var run = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "run", "run.json")))!;
        return (peak, run["plan"]!["memory_bytes_total"]!.GetValue<long>());
    }

    /// <summary>TinyLlama's shape in bf16, with weights that are small and look random.</summary>
    private static long MakeCheckpoint(string folder)
    {
        File.WriteAllText(Path.Combine(folder, "config.json"), """
            {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "hidden_size": 2048,
             "intermediate_size": 5632, "num_hidden_layers": 22, "num_attention_heads": 32, "num_key_value_heads": 4,
             "vocab_size": 32000, "max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "bos_token_id": 1,
             "eos_token_id": 2}
            """);
        foreach (var file in Directory.GetFiles(Path.Combine(TestFiles.Reference, "tokenizer", "sp")))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        var block = TinyLlama.Normal(1 << 16, seed: 1, scale: 0.02);
        var bytes = new byte[2 * block.Length];
        TensorConvert.FromDoubles(block, DType.BFloat16, bytes);
        var path = Path.Combine(folder, "model.safetensors");
        SafetensorsWriter.Write(path, LlamaShapes.Of(LlamaConfig.Load(folder)).Select(shape =>
            new SafetensorsItem(
                shape.Name, DType.BFloat16, shape.Shape, () => [Repeat(bytes, shape.Shape.Count * 2)])));
        return new FileInfo(path).Length;
    }

    private static byte[] Repeat(byte[] block, long count)
    {
        var bytes = new byte[count];
        for (var at = 0; at < bytes.Length; at += block.Length)
        {
            block.AsSpan(0, Math.Min(block.Length, bytes.Length - at)).CopyTo(bytes.AsSpan(at));
        }

        return bytes;
    }

    /// <summary>The most memory a process has held, mapped weights included; 0 once it is gone.</summary>
    private static long PeakBytes(int id)
    {
        try
        {
            var line = File.ReadLines($"/proc/{id}/status")
                .FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2],
                CultureInfo.InvariantCulture) * 1024;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
