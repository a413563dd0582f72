using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests;

public sealed class PreferenceTests
{
    private static readonly Objective[] All = [.. Enum.GetValues<Objective>().Where(o => o.IsPreference())];

    /// <summary>In fp64, through the whole model, with prompts learned too where that is possible.</summary>
    [Test]
    [Category("Gradient")]
    public void A_gradient_is_that_of_finite_differences([ValueSource(nameof(All))] Objective objective)
    {
        using var backend = new ReferenceBackend();
        using var weights = LlamaWeights.InitializeRandom(backend, TinyLlama.Config, seed: 3);
        using var adapter = TinyLlama.Adapter(backend, TinyLlama.Config);
        using var model = new Llama(backend, weights, adapter, 64);
        using var plain = new Llama(backend, weights, null, 64);
        using var workspace = new Workspace(model, 256, forBackward: true);
        using var room = new Workspace(plain, 256, forBackward: false);

        // A given z: the estimate moves with the policy, and by definition has no gradient. A large beta puts some
        // pairs on either side of the hinge.
        var settings = new PreferenceSettings(objective)
        {
            Beta = 0.7,
            LabelSmoothing = objective == Objective.Dpo ? 0.1 : 0,
            DesirableWeight = 1.3,
            UndesirableWeight = 0.6,
            ReferencePoint = objective == Objective.Kto ? 0.25 : null,
        };
        var examples = Preferences(objective, 4, answer: 5, withInputs: objective == Objective.Orpo);
        var loss = new PreferenceObjective(settings)
        {
            Reference = objective.NeedsReference()
                ? ReferenceLikelihoods.Compute(plain, room, examples, 4) : null,
        };
        using var trainer = Trainer(model, workspace, loss);
        var batches = BatchPacker.Step(examples, 2);
        trainer.Accumulate(batches);
        trainer.SumGradients(stop: false);
        foreach (var parameter in adapter.Parameters.Where(p => p.Name.Contains("layers.1.self_attn")))
        {
            var at = parameter.Value.ReadDoubles();
            GradientCheck.Check(parameter.Name, at, parameter.Gradient.ReadDoubles(), Loss, tolerance: 1e-6);
            parameter.Value.Write(at);

            double Loss(double[] values)
            {
                parameter.Value.Write(values);
                using var other = new Validator(model, workspace, new TrainingData(examples, examples, []), 2, objective: loss);
                return other.Measure(0).Loss;
            }
        }
    }

    /// <summary>One step of a few tokens; whole cases of the reference take minutes.</summary>
    [TestCase(Objective.Dpo, DType.Float32)]
    [TestCase(Objective.Dpo, DType.BFloat16)]
    [TestCase(Objective.Kto, DType.Float32)]
    [TestCase(Objective.Kto, DType.BFloat16)]
    public void An_emulated_GPU_has_the_gradients_of_the_CPU(Objective objective, DType type)
    {
        var examples = Preferences(objective, 1, answer: 3, withInputs: false);
        using var cpu = new CpuBackend(1);
        using var gpu = GpuBackend.OpenEmulated(type);
        var expected = Gradients(cpu);
        Assert.That(expected.Max(Math.Abs), Is.GreaterThan(1e-4));

        // fp32 sums of some tens of terms in another order, or activations rounded to bf16.
        var tolerance = type == DType.BFloat16 ? 0.05 : 1e-4;
        Assert.That(Gradients(gpu), Is.EqualTo(expected).Within(tolerance * expected.Max(Math.Abs)));

        double[] Gradients(IBackend backend)
        {
            using var weights = LlamaWeights.InitializeRandom(backend, TinyLlama.Config, seed: 3);
            using var adapter = TinyLlama.Adapter(backend, TinyLlama.Config);
            using var model = new Llama(backend, weights, adapter, 64);
            using var workspace = new Workspace(model, 40, forBackward: true);
            var loss = new PreferenceObjective(new(objective))
            {
                Reference = ReferenceLikelihoods.Known(examples, [.. examples.Select(_ => new[] { -12.0, -13, -14 })]),
            };
            using var trainer = Trainer(model, workspace, loss);
            trainer.Accumulate(BatchPacker.Step(examples, 2));
            trainer.SumGradients(stop: false);
            return [.. adapter.Parameters.SelectMany(p => p.Gradient.ReadDoubles())];
        }
    }

    /// <summary>More targets than the head computes at once: it computes their logits a second time.</summary>
    [Test]
    public void A_gradient_does_not_depend_on_how_preferences_are_cut_into_passes(
        [Values(Objective.Dpo, Objective.Orpo, Objective.Kto)] Objective objective)
    {
        var examples = Preferences(objective, 14, answer: 45, withInputs: false);
        var whole = Gradients(microBatch: examples.Count);
        var parts = Gradients(microBatch: 2);
        Assert.That(whole.Max(Math.Abs), Is.GreaterThan(1e-6));
        Assert.That(parts, Is.EqualTo(whole).Within(1e-13), "fp64 sums in another order");

        double[] Gradients(int microBatch)
        {
            using var backend = new ReferenceBackend();
            using var weights = LlamaWeights.InitializeRandom(backend, TinyLlama.Config, seed: 3);
            using var adapter = TinyLlama.Adapter(backend, TinyLlama.Config);
            using var model = new Llama(backend, weights, adapter, 64);
            using var workspace = new Workspace(model, microBatch * 104, forBackward: true);
            Assert.That(
                microBatch == 2
                    || examples.Sum(e => e.TargetCount) > LossHead.ChunkRows(backend, TinyLlama.Config, 1 << 20),
                "the test is one only if a pass has several chunks");
            var loss = new PreferenceObjective(new(objective))
            {
                Reference = ReferenceLikelihoods.Known(examples, [.. examples.Select(_ => new[] { -80.0, -81, -82 })]),
            };
            using var trainer = Trainer(model, workspace, loss);
            trainer.Accumulate(BatchPacker.Step(examples, microBatch));
            trainer.SumGradients(stop: false);
            return [.. adapter.Parameters.SelectMany(p => p.Gradient.ReadDoubles())];
        }
    }

    [Test]
    public void A_certain_answer_has_a_finite_odds_ratio()
    {
        var settings = new PreferenceSettings(Objective.Orpo);
        var (loss, chosen, rejected) = PreferenceLoss.Pair(settings, new(0, 3), new(-1e-9, 3));
        Assert.That(new[] { loss, chosen.Slope, rejected.Slope }, Has.All.Matches<double>(double.IsFinite));
        (loss, chosen, rejected) = PreferenceLoss.Pair(settings, new(-9000, 3), new(0, 3));
        Assert.That(new[] { loss, chosen.Slope, rejected.Slope }, Has.All.Matches<double>(double.IsFinite));
    }

    [Test]
    public void Losses_neither_overflow_nor_vanish_far_from_the_middle()
    {
        Assert.Multiple(() =>
        {
            Assert.That(PreferenceLoss.LogSigmoid(-1000), Is.EqualTo(-1000));
            Assert.That(PreferenceLoss.LogSigmoid(1000), Is.Zero);
            Assert.That(PreferenceLoss.LogSigmoid(40), Is.EqualTo(-Math.Exp(-40)).Within(1e-30), "1 + e^−40 rounds to 1");
            Assert.That(PreferenceLoss.LogSigmoid(0), Is.EqualTo(-Math.Log(2)).Within(1e-15));
        });
    }

    [TestCase(0, 0, 0.5)]
    [TestCase(0.1, 0.5, 0.5)]
    [TestCase(double.NaN, 0, 0.5)]
    [TestCase(0.1, 0, -1)]
    public void A_setting_out_of_range_is_refused(double beta, double smoothing, double gamma)
    {
        var settings = new PreferenceSettings(Objective.Dpo) { Beta = beta, LabelSmoothing = smoothing, Gamma = gamma };
        Assert.Throws<SafeLlamaException>(settings.Validate);
    }

    /// <summary>Made-up preferences of prompts of 4 to 6 tokens and answers of about one length.</summary>
    internal static IReadOnlyList<PreferenceExample> Preferences(
        Objective objective, int count, int answer, bool withInputs, int vocabulary = 37)
    {
        PreferenceSide Side(int row, int more)
        {
            var prompt = 4 + (row % 3);
            int[] tokens =
            [
                .. TinyLlama.Tokens(prompt, seed: 1000 + row, vocabulary),
                .. TinyLlama.Tokens(answer + more, seed: (2 * row) + more, vocabulary),
            ];
            return PreferenceSide.LastAnswer(TokenizedExample.FromLabels(
                $"row {row}", default, tokens, [.. Enumerable.Range(0, tokens.Length).Select(i => i >= prompt)]));
        }

        if (objective != Objective.Kto)
        {
            return [.. Enumerable.Range(0, count).Select(row => PreferenceExample.Pair(
                withInputs ? Side(row, 0).WithInputs() : Side(row, 0), Side(row, 1)))];
        }

        return PreferenceEncoder.WithMismatched(
            [.. Enumerable.Range(0, 2 * count).Select(
                row => PreferenceExample.Single(Side(row, 0), desirable: row % 2 == 0))],
            64);
    }

    private static Trainer Trainer(Llama model, Workspace workspace, PreferenceObjective loss) => new(
        model, workspace, new TrainerSettings(new(ScheduleShape.Constant, 0.01, 0, 10)) { Objective = loss }, 32);
}
