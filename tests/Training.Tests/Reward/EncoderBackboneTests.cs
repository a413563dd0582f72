using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training.Tests.Reward;

/// <summary>The regression that <c>judge train --backbone encoder</c> trains.</summary>
public sealed class EncoderBackboneTests
{
    private const int Vocabulary = 40;

    private static readonly EncoderConfig Config = new()
    {
        VocabularySize = Vocabulary,
        HiddenSize = 32,
        IntermediateSize = 64,
        Layers = 2,
        Heads = 4,
        DistanceSpan = 8,
        LogBuckets = true,
        MaxDistance = 64,
        Labels = 1,
        InitializerRange = 0.1,
    };

    [Test]
    public void A_learnable_rating_is_learned_by_head_and_adapters_and_holds_on_other_texts()
    {
        const int Steps = 120, Batch = 16;
        using var backend = new CpuBackend(2);
        var folder = Testing.TestFiles.NewFolder();
        using (var drawn = EncoderWeights.InitializeRandom(backend, Config, seed: 1))
        {
            drawn.Save(Path.Combine(folder, "model.safetensors"), DType.Float32);
        }

        using var weights = EncoderWeights.Load(backend, Config, folder, EncoderLearning.Head);
        using var adapter = LoraAdapter.Create(
            backend, LoraSite.Of(Config), new LoraConfig { Rank = 4, TargetPattern = LoraConfig.EncoderLinears }, 2);
        using var model = new EncoderClassifier(backend, weights, 32, adapter);
        using var trainer = new RewardTrainer(
            new EncoderBackbone(model, Batch * 16, Batch),
            new LearningRateSchedule(ScheduleShape.Linear, 1e-2, 5, Steps), 3);
        var rows = Enumerable.Range(0, Steps * Batch).Select(Row).ToArray();
        var losses = rows.Chunk(Batch).Select(batch => trainer.Step(batch)).ToArray();

        using var workspace = new EncoderWorkspace(model, 100 * 16, 100, forBackward: false);
        var heldOut = Enumerable.Range(1_000_000, 100).Select(Row).ToArray();
        var (scores, _) = model.Forward([.. heldOut.Select(r => r.Tokens)], workspace);
        var error = scores.Zip(heldOut, (s, r) => Math.Pow(s - r.Rating, 2)).Average();
        var mean = heldOut.Average(r => r.Rating);
        var variance = heldOut.Average(r => Math.Pow(r.Rating - mean, 2));
        TestContext.Out.WriteLine($"loss {losses[0]:0.000} to {losses[^1]:0.000}; {error:0.000} of {variance:0.000}");
        Assert.That(error, Is.LessThan(0.25 * variance), "held-out error against the variance of the ratings");
    }

    [Test]
    public void The_plan_counts_what_a_backbone_allocates()
    {
        using var backend = new CpuBackend(1);
        using var weights = EncoderWeights.InitializeRandom(backend, Config, seed: 1);
        using var model = new EncoderClassifier(backend, weights, 32);
        var plan = EncoderBackbone.Plan(model, maxRows: 200, maxConversations: 20, weightBytes: 1000);
        using var workspace = new EncoderWorkspace(model, 200, 20, forBackward: true);
        Assert.Multiple(() =>
        {
            Assert.That(plan.Terms.Single(t => t.Name == "activations").Bytes, Is.EqualTo(workspace.ByteCount));
            Assert.That(plan.Total, Is.GreaterThan(workspace.ByteCount + 1000));
            Assert.That(
                EncoderBackbone.Plan(model, 400, 20, 1000).Total, Is.GreaterThan(plan.Total),
                "more tokens, more memory");
        });
    }

    /// <summary>Rated from 0 to 4 by the share of its tokens in the vocabulary's upper half.</summary>
    private static RatedConversation Row(int number)
    {
        var stream = Philox.Stream(number, "rated");
        var share = stream.Uniform(0);
        int[] tokens = [1, .. Enumerable.Range(1, 8 + (number % 6)).Select(i =>
            3 + stream.Below(100 + i, 18) + (stream.Uniform(200 + i) < share ? 18 : 0)), 2];
        return new(tokens, 4.0 * tokens.Count(t => t >= 21) / (tokens.Length - 2));
    }
}
