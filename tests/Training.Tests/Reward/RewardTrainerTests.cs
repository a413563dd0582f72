using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training.Tests;

[TestFixture]
public sealed class RewardTrainerTests
{
    private const int Vocabulary = 48;

    private static readonly LlamaConfig Config = new()
    {
        VocabularySize = Vocabulary,
        HiddenSize = 16,
        IntermediateSize = 24,
        Layers = 2,
        Heads = 2,
        KeyValueHeads = 1,
        HeadDim = 8,
        InitializerRange = 0.3,
        MaxPositions = 64,
    };

    [Test]
    public void Loss_gradients_agree_with_finite_differences()
    {
        double[] scores = [0.3, -1.2, 2.0, 2.5, -40, 60], ratings = [0, 4, 1, 2, 3, 0];
        var pairs = RewardLoss.Pairs(scores);
        var rated = RewardLoss.Ratings(scores, ratings);
        for (var i = 0; i < scores.Length; i++)
        {
            const double Step = 1e-5;
            double Slope(Func<double[], double> loss) =>
                (loss([.. scores.Select((s, j) => i == j ? s + Step : s)])
                    - loss([.. scores.Select((s, j) => i == j ? s - Step : s)]))
                / (2 * Step);
            Assert.That(pairs.Gradient[i], Is.EqualTo(Slope(s => RewardLoss.Pairs(s).Loss)).Within(1e-8));
            Assert.That(rated.Gradient[i], Is.EqualTo(Slope(s => RewardLoss.Ratings(s, ratings).Loss)).Within(1e-6));
        }
    }

    [Test]
    [Category("Gradient")]
    public void Gradients_of_head_and_adapter_agree_with_finite_differences([Values] bool pairs)
    {
        using var backend = new ReferenceBackend();
        using var weights = LlamaWeights.InitializeRandom(backend, Config, seed: 1);
        using var adapter = LoraAdapter.Create(
            backend, Config, new LoraConfig { Rank = 2, Targets = ["q_proj", "v_proj", "down_proj"] }, 2);
        foreach (var pair in adapter.Pairs)
        {
            // At B = 0, dA vanishes and proves nothing.
            pair.B.Value.Write(
                [.. Enumerable.Range(0, (int)pair.B.Value.Shape.Count).Select(i => 0.1 * Math.Sin(i + pair.Index))]);
        }

        using var backbone = new Llama(backend, weights, adapter, 64);
        using var model = new RewardModel(backbone, weights, 4);
        model.Head.InitializeRandom(0.5, 3);
        using var trainer = new RewardTrainer(
            new LlamaBackbone(model, 64), new LearningRateSchedule(ScheduleShape.Constant, 1e-3, 0, 10), 4);
        int[][] conversations = [Text(1, 7), Text(2, 4), Text(3, 9), Text(4, 1)];
        (double, double[]) Loss(double[] scores) =>
            pairs ? RewardLoss.Pairs(scores) : RewardLoss.Ratings(scores, [0, 1, 3, 4]);
        trainer.Gradients(conversations, Loss);
        foreach (var parameter in (Parameter[])[.. adapter.Parameters, model.Head.Weight])
        {
            var (values, gradient) = (parameter.Value.ReadDoubles(), parameter.Gradient.ReadDoubles());
            for (var i = 0; i < values.Length; i += Math.Max(1, values.Length / 5))
            {
                const double Step = 1e-5;
                double At(double value)
                {
                    var moved = values.ToArray();
                    moved[i] = value;
                    parameter.Value.Write(moved);
                    return Loss(model.Score(conversations)).Item1;
                }

                var slope = (At(values[i] + Step) - At(values[i] - Step)) / (2 * Step);
                parameter.Value.Write(values);
                Assert.That(
                    gradient[i], Is.EqualTo(slope).Within(1e-7 + 1e-5 * Math.Abs(slope)), $"{parameter.Name}[{i}]");
            }
        }
    }

    /// <summary>The stream that the head reads is wider than activations in bf16.</summary>
    [TestCase("cpu")]
    [TestCase("cpu:bf16")]
    [TestCase("a GPU's kernels emulated")]
    [TestCase("a GPU's kernels emulated, bf16")]
    public void Scores_and_gradients_agree_with_the_reference_on(string device)
    {
        (double[] Scores, double[][] Gradients) On(IBackend backend)
        {
            using var weights = LlamaWeights.InitializeRandom(backend, Config, seed: 1);
            using var adapter = LoraAdapter.Create(
                backend, Config, new LoraConfig { Rank = 2, Targets = ["q_proj", "down_proj"] }, 2);
            using var backbone = new Llama(backend, weights, adapter, 64);
            using var model = new RewardModel(backbone, weights, 4);
            model.Head.InitializeRandom(0.5, 3);
            using var trainer = new RewardTrainer(
                new LlamaBackbone(model, 64), new LearningRateSchedule(ScheduleShape.Constant, 1e-3, 0, 10), 4);
            int[][] conversations = [Text(1, 7), Text(2, 4), Text(3, 9), Text(4, 1)];
            trainer.Gradients(conversations, scores => RewardLoss.Pairs(scores));
            return (model.Score(conversations),
                [.. adapter.Parameters.Append(model.Head.Weight).Select(p => p.Gradient.ReadDoubles())]);
        }

        using var reference = new ReferenceBackend();
        using IBackend backend = device switch
        {
            "cpu" => new CpuBackend(1),
            "cpu:bf16" => new CpuBackend(1, DType.BFloat16),
            _ => GpuBackend.OpenEmulated(device.EndsWith("bf16") ? DType.BFloat16 : DType.Float32),
        };
        var tolerance = device.EndsWith("bf16") ? 0.05 : 1e-4;
        var (expected, found) = (On(reference), On(backend));
        foreach (var (want, have) in expected.Gradients.Append(expected.Scores)
            .Zip(found.Gradients.Append(found.Scores)))
        {
            Assert.That(have, Is.EqualTo(want).Within(tolerance * want.Max(Math.Abs)));
        }
    }

    [Test]
    public void A_learnable_preference_is_ranked_right_on_pairs_held_out()
    {
        // Four of five tokens of a chosen answer are from the vocabulary's lower half, and one of five of a rejected
        // one.
        using var backend = new CpuBackend(2);
        using var weights = LlamaWeights.InitializeRandom(backend, Config, seed: 1);
        using var adapter = LoraAdapter.Create(
            backend, Config, new LoraConfig { Rank = 4, Targets = ["q_proj", "k_proj", "v_proj", "o_proj"] }, 2);
        using var backbone = new Llama(backend, weights, adapter, 64);
        using var model = new RewardModel(backbone, weights, 32);
        model.Head.InitializeRandom(0.02, 3);
        const int Steps = 150, Batch = 16;
        using var trainer = new RewardTrainer(
            new LlamaBackbone(model, 2 * Batch * 16),
            new LearningRateSchedule(ScheduleShape.Linear, 1e-2, 5, Steps), 4);
        var pairs = Enumerable.Range(0, Steps * Batch).Select(Pair).ToArray();
        var losses = pairs.Chunk(Batch).Select(trainer.Step).ToArray();
        var heldOut = Enumerable.Range(1_000_000, 200).Select(Pair).ToArray();
        var right = heldOut.Count(p => model.Score([p.Chosen])[0] > model.Score([p.Rejected])[0]);
        TestContext.Out.WriteLine(
            $"loss {losses[0]:0.000} → {losses[^1]:0.000}; {right} of {heldOut.Length} held-out pairs ranked right");
        Assert.That(right, Is.GreaterThanOrEqualTo(0.95 * heldOut.Length));
    }

    [Test]
    public void A_saved_head_scores_alike()
    {
        var folder = Testing.TestFiles.NewFolder();
        using var backend = new CpuBackend(1);
        using var weights = LlamaWeights.InitializeRandom(backend, Config, seed: 1);
        using var backbone = new Llama(backend, weights, null, 64);
        using var model = new RewardModel(backbone, weights, 2);
        model.Head.InitializeRandom(0.5, 3);
        model.SaveHead(folder);
        using var again = new RewardModel(backbone, weights, 2);
        again.LoadHead(folder);
        Assert.That(again.Score([Text(1, 9), Text(2, 3)]), Is.EqualTo(model.Score([Text(1, 9), Text(2, 3)])));
        File.Delete(Path.Combine(folder, RewardModel.HeadFile));
        Assert.That(() => again.LoadHead(folder), Throws.InstanceOf<SafeLlamaException>());
    }

    private static int[] Text(long seed, int length) =>
        [.. Enumerable.Range(0, length).Select(i => Philox.Stream(seed, "text").Below(i, Vocabulary))];

    private static RewardPair Pair(int number)
    {
        var stream = Philox.Stream(number, "pair");
        int[] prompt = [.. Enumerable.Range(0, 4).Select(i => stream.Below(i, Vocabulary))];
        int[] Answer(bool better) => [.. prompt, .. Enumerable.Range(0, 5).Select(i =>
            stream.Below(100 + i + (better ? 0 : 50), Vocabulary / 2) + (better == (i % 5 != 0) ? 0 : Vocabulary / 2))];
        return new(Answer(true), Answer(false));
    }
}
