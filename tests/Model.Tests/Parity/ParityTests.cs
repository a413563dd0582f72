using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Parity;

[Category("Parity")]
public sealed class ParityTests
{
    private static readonly IReadOnlyList<string> Backends = ComputeBackends.All;

    private static IEnumerable<string> ForwardCases => ReferenceCase.Names("forward");

    private static IEnumerable<string> GenerationCases => ReferenceCase.Names("generate_greedy");

    private static IEnumerable<string> SamplingCases => ReferenceCase.Names("logits_processors");

    private static IEnumerable<string> PissaCases =>
        ReferenceCase.Names("lora_variants").Where(name => name.EndsWith("pissa_init", StringComparison.Ordinal));

    private static IEnumerable<string> QuantizationCases => ReferenceCase.Names("quantisation");

    private static IEnumerable<string> QuantModelCases => ReferenceCase.Names("quant_model");

    /// <summary>Those that read blocks as they are stored.</summary>
    private static IReadOnlyList<string> HostBackends => ["reference", "cpu"];

    private static IEnumerable<string> LoraCases => ReferenceCase.Names("lora_forward_backward");

    [Test]
    public void Forward_and_every_gradient_agree_with_the_reference_stack(
        [ValueSource(nameof(ForwardCases))] string name, [ValueSource(nameof(Backends))] string backend)
    {
        using var ops = ComputeBackends.Open(backend);
        using var reference = ReferenceCase.Open(name, ComputeBackends.RoundingOf(backend));
        ForwardParity.Check(ops, reference);
    }

    [Test]
    public void An_adapter_its_gradients_and_its_merge_agree_with_the_reference_stack(
        [ValueSource(nameof(LoraCases))] string name, [ValueSource(nameof(Backends))] string backend)
    {
        using var ops = ComputeBackends.Open(backend);
        using var reference = ReferenceCase.Open(name, ComputeBackends.RoundingOf(backend));
        LoraParity.Check(ops, reference);
    }

    [Test]
    public void PiSSA_begins_where_the_reference_stack_does(
        [ValueSource(nameof(PissaCases))] string name, [ValueSource(nameof(Backends))] string backend)
    {
        using var ops = ComputeBackends.Open(backend);
        using var reference = ReferenceCase.Open(name);
        PissaParity.Check(ops, reference);
    }

    [Test]
    public void Greedy_answers_agree_with_the_reference_stack(
        [ValueSource(nameof(GenerationCases))] string name, [ValueSource(nameof(Backends))] string backend)
    {
        using var ops = ComputeBackends.Open(backend);
        using var reference = ReferenceCase.Open(name, ComputeBackends.RoundingOf(backend));
        GenerationParity.Check(ops, reference);
    }

    [TestCaseSource(nameof(SamplingCases))]
    public void Logits_processors_agree_with_the_reference_stack(string name)
    {
        using var reference = ReferenceCase.Open(name);
        SamplingParity.Check(reference);
    }

    [Test]
    public void Quantized_matrices_agree_with_the_reference_stack(
        [ValueSource(nameof(QuantizationCases))] string name, [ValueSource(nameof(HostBackends))] string backend)
    {
        using var ops = ComputeBackends.Open(backend);
        using var reference = ReferenceCase.Open(name);
        QuantizationParity.Check(ops, reference);
    }

    [Test]
    public void A_quantized_model_its_adapter_and_gradients_agree_with_the_reference_stack(
        [ValueSource(nameof(QuantModelCases))] string name, [ValueSource(nameof(HostBackends))] string backend)
    {
        using var ops = ComputeBackends.Open(backend);
        using var reference = ReferenceCase.Open(name);
        QuantParity.Check(ops, reference);
    }

    /// <summary>The kernels of a GPU, emulated: what they have kernels for in blocks, the rest decoded.</summary>
    [TestCase("A-mha/quant_int8_t6")]
    [TestCase("A-mha/quant_nf4_dq")]
    public void A_quantized_model_agrees_with_the_reference_stack_when_emulated(string name)
    {
        using var ops = GpuBackend.OpenEmulated(DType.Float32, groupSize: 4);
        using var reference = ReferenceCase.Open(name);
        QuantParity.Check(ops, reference);
    }

    [Test]
    [Slow("emulates a GPU for fifteen models")]
    public void So_does_every_quantized_model(
        [ValueSource(nameof(QuantModelCases))] string name) =>
        A_quantized_model_agrees_with_the_reference_stack_when_emulated(name);

    [Test]
    public void Every_case_has_a_test_that_knows_its_kind()
    {
        string[] known =
            ["forward", "lora_forward_backward", "generate_greedy", "logits_processors", "quantisation", "train"];
        Assert.That(ReferenceCase.Kinds().Except(known), Is.Empty);
    }

    [TestCase("B-gqa-llama3")]
    [TestCase("D-linear")]
    public void Newer_config_files_describe_the_same_model(string model)
    {
        var folder = Path.Combine(TestFiles.Reference, "models", model);
        var older = LlamaConfig.Load(folder);
        var newer = LlamaConfig.Load(Path.Combine(folder, "config.transformers5.json"));
        Assert.That(newer with { Source = older.Source, EosTokenIds = older.EosTokenIds }, Is.EqualTo(older));
    }
}
