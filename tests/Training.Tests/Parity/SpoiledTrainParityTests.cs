using System.Text.Json.Nodes;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests.Parity;

/// <summary>
/// The tests of the tests: each kind of expectation of a training run, made wrong in a copy, must fail, with the
/// tolerances of fp32 and with those of bf16.
/// </summary>
[Category("Parity")]
public sealed class SpoiledTrainParityTests
{
    private const string Case = "A-mha/train_lora_qv_r4";
    private const string Weight = "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight";

    [TestCase("step_loss")]
    [TestCase("step_loss_fp64_independent")]
    [TestCase("micro_loss")]
    [TestCase("lr_used")]
    [TestCase("grad_norm_before_clip")]
    [TestCase("grad_norm_before_clip_fp64")]
    [TestCase("grad_norm_after_clip")]
    [TestCase("n_items")]
    public void A_spoiled_number_of_a_step_fails(string field) =>
        MustFail((fixtures, rounding) => fixtures.SpoilManifest(Case, json =>
        {
            var values = json[field]!.AsArray();
            var (last, factor) = (values.Count - 1, rounding == Rounding.Nothing ? 1.01 : 1.25);
            values[last] = (values[last]!.GetValue<double>() * factor) + 0.01;
        }));

    [TestCase("l2")]
    [TestCase("sum")]
    [TestCase("delta_l2")]
    public void A_spoiled_summary_fails(string field) =>
        MustFail((fixtures, _) => fixtures.SpoilNumber(Case, "final_summary", Weight, field));

    [TestCase("final.")]
    [TestCase("after_step1.")]
    [TestCase("after_step2.")]
    public void A_spoiled_weight_fails(string prefix) =>
        MustFail((fixtures, _) => fixtures.SpoilTensor(Case, prefix + Weight, everywhere: false));

    [TestCase("A-mha/train_loraplus", "lr_used_lora_B")]
    [TestCase("A-mha/train_dora", "step_loss")]
    public void A_spoiled_number_of_a_variant_fails(string name, string field) =>
        MustFail((fixtures, rounding) => fixtures.SpoilManifest(name, json =>
        {
            var (values, factor) = (json[field]!.AsArray(), rounding == Rounding.Nothing ? 1.01 : 1.25);
            values[^1] = (values[^1]!.GetValue<double>() * factor) + 0.01;
        }), name);

    [TestCase("A-mha/train_loraplus", "final." + Weight)]
    [TestCase("A-mha/train_dora", "final.base_model.model.model.layers.1.mlp.down_proj.lora_magnitude_vector")]
    public void A_spoiled_weight_of_a_variant_fails(string name, string tensor) =>
        MustFail((fixtures, _) => fixtures.SpoilTensor(name, tensor, everywhere: false), name);

    [Test]
    public void A_spoiled_merge_fails()
    {
        const string Name = "A-mha/train_dora";
        MustFail((fixtures, _) => fixtures.SpoilNumber(Name, "loss_merged"), Name);
        MustFail((fixtures, _) => fixtures.SpoilNumber(
            Name, "merged_summary", "model.layers.0.mlp.down_proj.weight", "l2"), Name);
        MustFail((fixtures, _) => fixtures.SpoilTensor(
            Name, "merged.model.layers.0.mlp.down_proj.weight", everywhere: false), Name, Rounding.Nothing);
    }

    [Test]
    public void An_expectation_that_no_test_knows_fails()
    {
        MustFail((fixtures, _) => fixtures.SpoilManifest(Case, json => json["perplexity"] = 1.0));
        MustFail((fixtures, _) => fixtures.SpoilManifest(
            Case, json => json["tensors"]!["after_step9." + Weight] = new JsonObject { ["role"] = "expected" }));
    }

    private static void MustFail(
        Action<SpoiledFixtures, Rounding> spoil, string name = Case, params Rounding[] roundings)
    {
        using var backend = new CpuBackend(1);
        foreach (var rounding in roundings.Length > 0 ? roundings : Enum.GetValues<Rounding>())
        {
            using var fixtures = new SpoiledFixtures();
            spoil(fixtures, rounding);
            using var reference = ReferenceCase.OpenIn(fixtures.Folder, name, rounding);
            Assert.That(
                () => TrainParity.Check(backend, reference), Throws.InstanceOf<ParityException>(),
                $"as tolerated where rounded: {rounding}");
        }
    }
}
