using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests;

public sealed class FineTuneAdviceTests
{
    private static readonly string Model = Path.Combine(TestFiles.Reference, "models", "A-mha");

    /// <summary>5e-5 · 10 · (2000 / width)^0.781.</summary>
    [TestCase(2000, false, 5e-4)]
    [TestCase(2000, true, 5e-5)]
    [TestCase(4096, false, 2.86e-4)]
    [TestCase(64, false, 7.35e-3)]
    public void The_usual_rate_falls_with_the_width_and_is_a_tenth_for_full_tuning(int width, bool full, double rate) =>
        Assert.That(FineTuneAdvice.UsualRate(width, full), Is.EqualTo(rate).Within(1).Percent);

    [TestCase(1, 100, "rank 1: 512 values hold about 1,024 bits", "enough")]
    [TestCase(1, 4000, "4,000 trained tokens bring about 4,000", "little: rank 4, or more targets")]
    public void The_rank_is_held_against_the_trained_tokens(int rank, int tokens, string numbers, string verdict)
    {
        var line = Lines(new FineTuneRequest { Model = Model, Rank = rank }, tokens).First();
        Assert.That(line, Does.Contain(numbers).And.Contain(verdict).And.Contain("arXiv:2404.05405"));
    }

    [TestCase(7e-3, "usual")]
    [TestCase(3e-4, "low")]
    [TestCase(0.5, "high")]
    public void The_learning_rate_is_held_against_the_rule(double rate, string verdict) => Assert.That(
        Lines(new FineTuneRequest { Model = Model, LearningRate = rate }, 100).ElementAt(1),
        Does.StartWith($"advice: learning rate {rate:G3}: {verdict};"));

    [Test]
    public void A_choice_says_the_difference_of_two_plans()
    {
        var request = new FineTuneRequest { Model = Model };
        var lines = Lines(request, 100).ToList();
        using var backend = new CpuBackend(1);
        long Total(FineTuneRequest of)
        {
            var (config, data) = (of.Config(), Inputs(100).Data);
            return TrainingMemory.Of(
                backend, Inputs(100).Shape, config, TrainingMemory.MicroBatchRows(config, data), data.Longest,
                LlamaWeights.BytesOf(Model, of.LoadForm), of.LoadForm).Total;
        }

        void Says(string name, FineTuneRequest other, string direction) => Assert.That(
            lines.Single(line => line.StartsWith($"advice: {name}", StringComparison.Ordinal)),
            Does.Contain($"{MemoryPlan.Size(Math.Abs(Total(other) - Total(request)))} {direction} memory"));

        Says("`Recompute` block", request with { Recompute = Recompute.Block }, "less");
        Says("`MicroBatch` 2", request with { MicroBatch = 2 }, "less");
        Says("`Variant` dora", request with { Variant = LoraVariant.Dora }, "more");
        Says("`Load` nf4", request with { Load = LoadAs.Nf4 }, "less");
        Says("`Load` int8-weights", request with { Load = LoadAs.Int8Weights }, "less");
    }

    /// <summary>What is known of fine-tuning is not said of preferences.</summary>
    [Test]
    public void Preferences_are_not_held_against_the_rules_of_rows()
    {
        var lines = Lines(new FineTuneRequest { Model = Model, Objective = Objective.Dpo, Rank = 1 }, 4000).ToList();
        Assert.That(lines[0], Does.Contain("200 preferences bring about 200").And.EndsWith("enough."));
        Assert.That(lines[1], Does.Contain("preferences are usually learned at smaller rates").And.Contain("0.0074"));
    }

    [Test]
    public void What_a_run_does_already_is_not_advised()
    {
        var lines = Lines(
            new FineTuneRequest { Model = Model, Full = true, Recompute = Recompute.Block, MicroBatch = 1 }, 100);
        Assert.That(lines.Single(), Does.Contain("for full tuning the rule"));
    }

    private static IEnumerable<string> Lines(FineTuneRequest request, int tokens)
    {
        using var backend = new CpuBackend(1);
        return [.. new FineTuneAdvice(request, Inputs(tokens), request.Config(), backend).Lines()];
    }

    /// <summary>Rows of 20 trained tokens.</summary>
    private static FineTuneInputs Inputs(int tokens)
    {
        var rows = Enumerable.Range(0, tokens / 20).Select(row => TokenizedExample.FromLabels(
            $"row {row}", default, TinyLlama.Tokens(21, seed: row, vocabulary: 300),
            [.. Enumerable.Range(0, 21).Select(i => i > 0)])).ToList();
        return new(LlamaConfig.Load(Model), Model, "", TrainingData.All(rows), null!, null, []);
    }
}
