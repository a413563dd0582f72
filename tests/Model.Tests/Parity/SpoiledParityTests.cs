using System.Text.Json.Nodes;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Parity;

/// <summary>
/// The tests of the tests: each kind of expectation, made wrong in a copy, must fail its parity test.
/// </summary>
[Category("Parity")]
public sealed class SpoiledParityTests
{
    private const string Forward = "A-mha/forward";
    private const string Adapter = "A-mha/lora_qv_r4";
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
    [TestCase(Greedy, "generated", false)]
    [TestCase(Greedy, "generated_with_eos", false)]
    [TestCase(Greedy, "step_logits_first3", false)]
    [TestCase(Sampling, "out.typical_p_0.8", true)]
    [TestCase(Sampling, "out.pipeline_probs", false)]
    public void A_spoiled_tensor_fails(string name, string tensor, bool everywhere)
    {
        using var fixtures = new SpoiledFixtures();
        fixtures.SpoilTensor(name, tensor, everywhere);
        MustFail(fixtures, name);
    }

    [TestCase(Forward, "loss")]
    [TestCase(Forward, "loss_fp64_independent")]
    [TestCase(Forward, "num_loss_tokens")]
    [TestCase(Forward, "grad_global_norm")]
    [TestCase(Forward, "grad_summary", "lm_head.weight", "l2")]
    [TestCase(Forward, "grad_summary", "lm_head.weight", "abs_max")]
    [TestCase(Forward, "grad_summary", "model.norm.weight", "sum")]
    [TestCase(Adapter, "loss")]
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

    private static Action<IBackend, ReferenceCase> CheckOf(string name) => name switch
    {
        Forward => ForwardParity.Check,
        Adapter => LoraParity.Check,
        Greedy => GenerationParity.Check,
        _ => (_, reference) => SamplingParity.Check(reference),
    };

    private static void MustFail(SpoiledFixtures fixtures, string name)
    {
        using var backend = new SimdBackend(1);
        using var reference = ReferenceCase.OpenIn(fixtures.Folder, name);
        Assert.That(
            () => CheckOf(name)(backend, reference),
            Throws.InstanceOf<ParityException>());
    }
}
