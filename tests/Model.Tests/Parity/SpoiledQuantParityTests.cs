using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Parity;

/// <summary>The tests of the tests, for quantized models: an expectation that is made wrong must fail.</summary>
[Category("Parity")]
public sealed class SpoiledQuantParityTests
{
    private const string Nf4 = "A-mha/quant_nf4_dq";
    private const string Int8 = "A-mha/quant_int8_t6";
    private const string Matrices = "quant/quant";
    private const string Gradient = "grad.base_model.model.model.layers.1.self_attn.v_proj.lora_A.weight";

    [TestCase(Nf4, "logits", true)]
    [TestCase(Nf4, "logits_adapter", true)]
    [TestCase(Nf4, "token_nll", true)]
    [TestCase(Nf4, "token_nll_adapter", true)]
    [TestCase(Nf4, Gradient, false)]
    [TestCase(Nf4, "dequant.model.layers.1.self_attn.k_proj.weight", false)]
    [TestCase(Int8, "logits", true)]
    [TestCase(Int8, "linear.model.layers.0.mlp.down_proj.y", false)]
    [TestCase(Int8, "linear.model.layers.0.mlp.down_proj.row_absmax", false)]
    [TestCase(Int8, "linear.model.layers.0.mlp.down_proj.outlier_columns", false)]
    [TestCase(Int8, "linear.model.layers.0.self_attn.q_proj.dx", false)]
    [TestCase(Matrices, "nf4.codebook", false)]
    [TestCase(Matrices, "nf4.absmax", false)]
    [TestCase(Matrices, "nf4.dequant", false)]
    [TestCase(Matrices, "nested.dynamic_map", false)]
    [TestCase(Matrices, "nested.absmax2", true)]
    [TestCase(Matrices, "nested.absmax_dequant", false)]
    [TestCase(Matrices, "int8.SCB", false)]
    [TestCase(Matrices, "int8.SCA_t6", false)]
    [TestCase(Matrices, "int8.Y_t0", false)]
    public void A_spoiled_tensor_fails(string name, string tensor, bool everywhere)
    {
        using var fixtures = new SpoiledFixtures();
        fixtures.SpoilTensor(name, tensor, everywhere);
        MustFail(fixtures, name);
    }

    [TestCase(Nf4, "loss")]
    [TestCase(Nf4, "loss_adapter")]
    [TestCase(Nf4, "grad_global_norm")]
    [TestCase(Nf4, "num_loss_tokens")]
    [TestCase(Int8, "loss")]
    public void A_spoiled_number_fails(string name, string field)
    {
        using var fixtures = new SpoiledFixtures();
        fixtures.SpoilNumber(name, field);
        MustFail(fixtures, name);
    }

    [TestCase(Nf4)]
    [TestCase(Matrices)]
    public void An_expectation_that_no_test_knows_fails(string name)
    {
        using var fixtures = new SpoiledFixtures();
        fixtures.SpoilManifest(name, json => json["perplexity"] = 1.0);
        MustFail(fixtures, name);
    }

    private static void MustFail(SpoiledFixtures fixtures, string name)
    {
        using var backend = new CpuBackend(1);
        using var reference = ReferenceCase.OpenIn(fixtures.Folder, name);
        Action<IBackend, ReferenceCase> check = name == Matrices ? QuantizationParity.Check : QuantParity.Check;
        Assert.That(() => check(backend, reference), Throws.InstanceOf<ParityException>());
    }
}
