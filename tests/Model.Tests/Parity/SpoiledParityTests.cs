using System.Text.Json.Nodes;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Parity;

/// <summary>
/// The tests of the tests: each kind of expectation, made wrong in a copy, must fail its parity test, with the
/// tolerances of fp32 and with those of bf16.
/// </summary>
[Category("Parity")]
public sealed class SpoiledParityTests
{
    private const string Forward = "A-mha/forward";
    private const string Padded = "A-mha/forward_leftpad_alllabels";
    private const string Adapter = "A-mha/lora_qv_r4";
    private const string Dora = "C-headdim/dora_r4";
    private const string Magnitude = "grad.base_model.model.model.layers.1.mlp.down_proj.lora_magnitude_vector";
    private const string Pissa = "A-mha/pissa_init";
    private const string Greedy = "A-mha/generate_greedy";
    private const string Sampling = "sampling/logits_processors";
    private const string Gradient = "grad.base_model.model.model.layers.1.self_attn.v_proj.lora_A.weight";

    [TestCase(Forward, "logits", true)]
    [TestCase(Forward, "token_nll", true)]
    [TestCase(Forward, "hidden_states.1", true)]
    [TestCase(Forward, "rope.inv_freq", false)]
    [TestCase(Forward, "grad.model.norm.weight", false)]
    [TestCase(Forward, "grad.lm_head.weight", false)]
    [TestCase(Adapter, "logits", true)]
    [TestCase(Adapter, Gradient, false)]
    [TestCase(Adapter, "merged.model.layers.1.self_attn.v_proj.weight", false)]
    [TestCase(Dora, "logits", true)]
    [TestCase(Dora, Magnitude, false)]
    [TestCase(Dora, "grad.base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight", false)]
    [TestCase(Dora, "merged.model.layers.1.self_attn.v_proj.weight", false)]
    [TestCase(Pissa, "model.layers.0.self_attn.q_proj.lora_A", false)]
    [TestCase(Pissa, "model.layers.0.self_attn.q_proj.lora_B", false)]
    [TestCase(Pissa, "model.layers.0.self_attn.q_proj.BA", false)]
    [TestCase(Pissa, "model.layers.1.mlp.down_proj.residual", false)]
    [TestCase(Greedy, "generated", false)]
    [TestCase(Greedy, "generated_with_eos", false)]
    [TestCase(Greedy, "step_logits_first3", false)]
    [TestCase(Sampling, "out.typical_p_0.8", true)]
    [TestCase(Sampling, "out.pipeline_probs", false)]
    public void A_spoiled_tensor_fails(string name, string tensor, bool everywhere)
    {
        using var fixtures = new SpoiledFixtures();
        fixtures.SpoilTensor(name, tensor, everywhere);
        MustFail(fixtures, name, hasEnds: tensor == "generated_with_eos");
    }

    [TestCase(Forward, "loss")]
    [TestCase(Forward, "loss_fp64_independent")]
    [TestCase(Forward, "num_loss_tokens")]
    [TestCase(Forward, "grad_global_norm")]
    [TestCase(Forward, "grad_summary", "lm_head.weight", "l2")]
    [TestCase(Forward, "grad_summary", "lm_head.weight", "abs_max")]
    [TestCase(Forward, "grad_summary", "model.norm.weight", "sum")]
    [TestCase(Adapter, "loss")]
    [TestCase(Dora, "loss_merged")]
    [TestCase(Dora, "grad_global_norm")]
    [TestCase(Pissa, "scaling")]
    [TestCase(Adapter, "loss_merged")]
    [TestCase(Adapter, "trainable_params")]
    [TestCase(Adapter, "scaling", "model.layers.0.self_attn.q_proj")]
    [TestCase(Adapter, "grad_global_norm")]
    [TestCase(Adapter, "adapter_effect", "loss_change")]
    [TestCase(Adapter, "adapter_effect", "max_abs_logit_change_vs_base")]
    public void A_spoiled_number_fails(string name, params string[] keys)
    {
        using var fixtures = new SpoiledFixtures();
        fixtures.SpoilNumber(name, keys);
        MustFail(fixtures, name);
    }

    [TestCase(Forward)]
    [TestCase(Adapter)]
    [TestCase(Greedy)]
    [TestCase(Sampling)]
    public void An_expectation_that_no_test_knows_fails(string name)
    {
        using var fixtures = new SpoiledFixtures();
        fixtures.SpoilManifest(name, json => json["perplexity"] = 1.0);
        MustFail(fixtures, name);
        fixtures.SpoilManifest(name, json =>
        {
            json.Remove("perplexity");
            json["tensors"]!["attention_entropy"] = new JsonObject { ["role"] = "expected" };
        });
        MustFail(fixtures, name);
    }

    /// <summary>A tolerance of bf16 is wide: what would be wrong with a model, and small, must still fail.</summary>
    [TestCase("rope_theta", 8000)]
    [TestCase("rms_norm_eps", 5e-2)]
    public void A_model_that_is_a_little_wrong_fails(string field, double value)
    {
        using var fixtures = new SpoiledFixtures();
        fixtures.SpoilFile("models/A-mha/config.json", json => json[field] = value);
        MustFail(fixtures, Padded, "logits|token_nll");
    }

    [Test]
    public void An_adapter_that_is_a_little_too_strong_fails()
    {
        using var fixtures = new SpoiledFixtures();
        fixtures.SpoilFile(
            "adapters/A-mha-lora_qv_r4/adapter_config.json",
            json => json["lora_alpha"] = 1.25 * json["lora_alpha"]!.GetValue<double>());
        fixtures.SpoilManifest(Adapter, json =>
        {
            foreach (var (module, scale) in json["scaling"]!.AsObject().ToList())
            {
                json["scaling"]![module] = 1.25 * scale!.GetValue<double>();
            }
        });
        MustFail(fixtures, Adapter, "logits|grad");
    }

    private static Action<IBackend, ReferenceCase> CheckOf(string name) => name switch
    {
        Forward or Padded => ForwardParity.Check,
        Adapter or Dora => LoraParity.Check,
        Pissa => PissaParity.Check,
        Greedy => GenerationParity.Check,
        _ => (_, reference) => SamplingParity.Check(reference),
    };

    private static void MustFail(SpoiledFixtures fixtures, string name, string why = "", bool hasEnds = false)
    {
        using var backend = new CpuBackend(1);
        foreach (var rounding in Enum.GetValues<Rounding>())
        {
            if (hasEnds && rounding != Rounding.Nothing)
            {
                continue;       // where rounding may change a token, only an answer's beginning is compared
            }

            using var reference = ReferenceCase.OpenIn(fixtures.Folder, name, rounding);
            Assert.That(
                () => CheckOf(name)(backend, reference), Throws.InstanceOf<ParityException>().With.Message.Match(why),
                $"as tolerated where rounded: {rounding}");
        }
    }
}
