using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Inference.Tests;

/// <summary>A long prompt is read in parts.</summary>
public sealed class PromptPartsTests
{
    private static readonly LlamaConfig Config = TinyLlama.Config with
    {
        HiddenSize = 192,
        IntermediateSize = 320,
        Heads = 4,
        KeyValueHeads = 2,
        HeadDim = 48,
        MaxPositions = 1024,
    };

    /// <summary>Of one part; of two, of which the last is the longest there is; of three.</summary>
    [Test]
    public void Parts_have_the_bytes_of_one_pass_over_the_whole_prompt(
        [Values(383, 639, 777)] int length, [Values(DType.Float32, DType.BFloat16)] DType arithmetic,
        [Values] bool isAdapted)
    {
        using var backend = new CpuBackend(2, arithmetic);
        using var weights = LlamaWeights.InitializeRandom(backend, Config, seed: 3);
        using var adapter = TinyLlama.Adapter(backend, Config, rank: 5);
        using var model = new Llama(backend, weights, null, length + 1, isAdapted ? [adapter] : []);
        var prompt = TinyLlama.Tokens(length, seed: 5);
        var chosen = isAdapted ? 0 : -1;
        using var batch = new DecodingBatch(model, 3, length, length + 1, exact: true);
        batch.Read(0, TinyLlama.Tokens(20, seed: 1), chosen);
        var scored = new List<double[]>();
        batch.Read(1, prompt, chosen, (place, logits) =>
        {
            Assert.That(place, Is.EqualTo(scored.Count));
            scored.Add([.. logits]);
        });
        var last = batch.Logits(0).ToArray();

        using var cache = new KeyValueCache(backend, Config, 1, length);
        using var workspace = new Workspace(model, length, forBackward: false);
        var pass = workspace.For(length);
        var places = Enumerable.Range(0, length).ToArray();
        pass.Batch.UploadCached(prompt, places, new int[length], places);
        if (isAdapted)
        {
            pass.Choose([new(0, 0, length)]);
        }

        model.Forward(pass, cache.Layers);
        foreach (var place in new[] { 0, 200, 255, 256, 300, length - 2, length - 1 })
        {
            places[0] = place;
            pass.Batch.TargetRows.Write(places);
            var expected = model.Logits(pass, pass.Batch.TargetRows.SliceVector(0, 1)).ReadDoubles();
            Assert.That(scored[place], Is.EqualTo(expected), $"token {place}");
            Assert.That(place < length - 1 || last.SequenceEqual(expected), Is.True);
        }
    }

    [Test]
    public void A_prompt_in_parts_takes_the_memory_of_a_part()
    {
        using var backend = new CpuBackend(1);
        using var weights = LlamaWeights.InitializeRandom(backend, Config, seed: 3);
        using var model = new Llama(backend, weights, null, 1024);
        var work = DecodingBatch.BytesFor(model, 1, 383, 1024).Work;
        Assert.That(DecodingBatch.BytesFor(model, 1, 1024, 1024).Work, Is.EqualTo(work));
        Assert.That(DecodingBatch.BytesFor(model, 1, 382, 1024).Work, Is.LessThan(work));
    }
}
