using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests;

/// <summary>
/// Tensors of a pass lie over each other where one is not needed any more; nothing that was there before may be read.
/// </summary>
public sealed class SharedMemoryTests
{
    private static readonly LlamaConfig Config = TinyLlama.Config with
    {
        VocabularySize = 301,
        HiddenSize = 64,
        IntermediateSize = 170,
        Heads = 4,
        KeyValueHeads = 2,
        HeadDim = 16,
        MaxPositions = 128,
    };

    private static readonly Lazy<string> Checkpoint = new(() =>
    {
        var folder = TestFiles.NewFolder();
        using var backend = new ReferenceBackend();
        using var weights = LlamaWeights.InitializeRandom(backend, Config, seed: 1);
        weights.Save(Path.Combine(folder, "model.safetensors"), DType.BFloat16);
        return folder;
    });

    private static readonly int[][] Examples = [Tokens(90, 1), Tokens(41, 2), Tokens(23, 3)];

    /// <summary>NaN before a pass in all that it writes, and again, between loss and backward, where gradients of
    /// blocks lie over the head: the gradients are the same to the last bit.</summary>
    [Test]
    public void Nothing_is_read_that_a_pass_did_not_write(
        [Values("cpu", "cpu:bf16", "cpu:bf16 emulated")] string device,
        [Values("lora", "lora with dropout", "dora", "all weights")] string learner,
        [Values] Recompute recompute)
    {
        using IBackend backend = device switch
        {
            "cpu" => new CpuBackend(2),
            "cpu:bf16" => new CpuBackend(2, DType.BFloat16),
            _ => CpuBackend.EmulatingBFloat16(2),
        };
        using var weights = learner == "all weights"
            ? LlamaWeights.LoadTrainable(backend, Config, Checkpoint.Value)
            : LlamaWeights.Load(backend, Config, Checkpoint.Value);
        using var adapter = learner switch
        {
            "all weights" => null,
            "dora" => TinyLlama.Adapter(backend, weights, LoraVariant.Dora),
            _ => TinyLlama.Adapter(backend, Config, learner == "lora" ? 0 : 0.3),
        };
        using var model = new Llama(backend, weights, adapter, 128);
        using var workspace = new Workspace(model, Examples.Sum(e => e.Length), forBackward: true, recompute);
        var clean = Gradients(0);
        var spoiled = Gradients(0xff);
        Assert.That(clean.Values.Max(g => g.Max(Math.Abs)), Is.GreaterThan(1e-3));
        Assert.Multiple(() =>
        {
            foreach (var (name, values) in clean)
            {
                Assert.That(spoiled[name], Is.EqualTo(values), name);
            }
        });

        Dictionary<string, double[]> Gradients(byte fill)
        {
            foreach (var parameter in model.Parameters)
            {
                parameter.Gradient.Clear();
            }

            using var arena = new Arena(backend, "total");
            var total = arena.Take(new(1), DType.Float64, "total");
            arena.Commit();
            Fill(workspace.Memory, 0, fill);
            var pass = TinyLlama.Upload(workspace, Examples);
            model.Forward(pass);
            model.Loss(pass, 1.0 / pass.Batch.TargetCount, total);
            Fill(workspace.Memory, pass.Head.Start, fill);
            model.Backward(pass);
            return model.Parameters.ToDictionary(p => p.Name, p => p.Gradient.ReadDoubles());
        }
    }

    private static void Fill(Storage memory, long from, byte with)
    {
        var bytes = new byte[memory.ByteCount - from];
        Array.Fill(bytes, with);
        memory.Write(from, bytes);
    }

    private static int[] Tokens(int count, long seed) => TinyLlama.Tokens(count, seed, Config.VocabularySize);
}
