using System.Text.Json.Nodes;
using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests.Parity;

[Category("Parity")]
public sealed class PreferenceParityTests
{
    private const string Pairs = "A-mha/preference_dpo_sigmoid";
    private const string Likelihood = "A-mha/preference_orpo";
    private const string Rows = "A-mha/preference_kto";
    private const string Weight = "grad.base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight";

    /// <summary>fp32 and fp64: a sum over an answer has no sharp tolerance in bf16.</summary>
    private static readonly IReadOnlyList<string> Backends =
        [.. ComputeBackends.All.Where(name => ComputeBackends.RoundingOf(name) == Rounding.Nothing)];

    private static IEnumerable<string> Cases => ReferenceCase.Names("preference");

    [Test]
    public void A_preference_loss_agrees_with_the_reference_stack_however_it_is_batched(
        [ValueSource(nameof(Cases))] string name, [ValueSource(nameof(Backends))] string backend,
        [Values(1, 3, 12)] int microBatch)
    {
        using var ops = ComputeBackends.Open(backend);
        using var reference = ReferenceCase.Open(name);
        PreferenceParity.Check(ops, reference, microBatch);
    }

    [TestCase(Pairs)]
    [TestCase(Rows)]
    [Slow("interprets every kernel of several steps.")]
    public void So_does_it_when_a_GPU_is_emulated(string name)
    {
        using var backend = GpuBackend.OpenEmulated(DType.Float32);
        using var reference = ReferenceCase.Open(name);
        PreferenceParity.Check(backend, reference, microBatch: 3);
    }

    [Test]
    public void Answers_are_mismatched_as_the_reference_stack_rotates_them()
    {
        using var reference = ReferenceCase.Open(Rows);
        var rows = PreferenceParity.Examples(reference);
        var rotated = PreferenceEncoder.WithMismatched([.. rows.Select(r => r with { Mismatched = null })], 512);
        Assert.Multiple(() =>
        {
            for (var i = 0; i < rows.Count; i++)
            {
                // TRL takes the row before even where it has the same prompt, which then is no mismatch.
                if (Prompt(rows[i]).SequenceEqual(Prompt(rows[(i + rows.Count - 1) % rows.Count])))
                {
                    continue;
                }

                Assert.That(rotated[i].Mismatched!.Tokens, Is.EqualTo(rows[i].Mismatched!.Tokens), $"row {i}");
                Assert.That(rotated[i].Mismatched!.Targets, Is.EqualTo(rows[i].Mismatched!.Targets), $"row {i}");
            }
        });
    }

    private static int[] Prompt(PreferenceExample row) => row.Tokens[..(row.Sequences[0].Answer + 1)];

    [TestCase(Pairs, "loss")]
    [TestCase(Pairs, "loss_fp64_independent")]
    [TestCase(Pairs, "grad_global_norm")]
    [TestCase(Pairs, "beta")]
    [TestCase(Pairs, "metrics", "rewards/chosen")]
    [TestCase(Pairs, "metrics", "rewards/accuracies")]
    [TestCase(Pairs, "metrics", "rewards/margins")]
    [TestCase(Pairs, "metrics", "logps/rejected")]
    [TestCase(Likelihood, "metrics", "nll_loss")]
    [TestCase(Likelihood, "metrics", "log_odds_chosen")]
    [TestCase(Rows, "kl")]
    [TestCase(Rows, "desirable_weight")]
    [TestCase(Rows, "metrics", "rewards/chosen_sum")]
    [TestCase("A-mha/preference_kto_clamped", "kl_mean_before_clamp")]
    [TestCase("A-mha/preference_simpo", "gamma")]
    [TestCase("A-mha/preference_dpo_sigmoid_smoothed", "label_smoothing")]
    public void A_spoiled_number_fails(string name, params string[] keys) =>
        MustFail(name, fixtures => fixtures.SpoilManifest(name, json =>
        {
            JsonNode node = json;
            foreach (var key in keys[..^1])
            {
                node = node[key]!;
            }

            node[keys[^1]] = (node[keys[^1]]!.GetValue<double>() * 1.01) + 0.01;
        }));

    [TestCase(Pairs, "losses")]
    [TestCase(Pairs, "chosen_rewards")]
    [TestCase(Pairs, "rejected_rewards")]
    [TestCase(Pairs, "policy_chosen_logps")]
    [TestCase(Pairs, "reference_rejected_logps")]
    [TestCase(Pairs, Weight)]
    [TestCase(Pairs, "rejected_input_ids")]
    [TestCase(Rows, "losses")]
    [TestCase(Rows, "rewards")]
    [TestCase(Rows, "kl_policy_logps")]
    [TestCase(Rows, "kl_reference_logps")]
    [TestCase(Rows, Weight)]
    public void A_spoiled_tensor_fails(string name, string tensor) =>
        MustFail(name, fixtures => fixtures.SpoilTensor(name, tensor, everywhere: false));

    [Test]
    public void An_expectation_that_no_test_knows_fails()
    {
        MustFail(Pairs, fixtures => fixtures.SpoilManifest(Pairs, json => json["perplexity"] = 1.0));
        MustFail(Pairs, fixtures => fixtures.SpoilManifest(Pairs, json => json["metrics"]!["entropy"] = 1.0));
    }

    private static void MustFail(string name, Action<SpoiledFixtures> spoil)
    {
        using var backend = new CpuBackend(1);
        using var fixtures = new SpoiledFixtures();
        spoil(fixtures);
        using var reference = ReferenceCase.OpenIn(fixtures.Folder, name);
        Assert.That(
            () => PreferenceParity.Check(backend, reference, microBatch: 6), Throws.InstanceOf<ParityException>());
    }
}
