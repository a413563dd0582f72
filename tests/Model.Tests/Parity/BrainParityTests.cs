using SafeLlama.Kernels;
using SafeLlama.Kernels.Tests;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Parity;

/// <summary>
/// The numbers of the reference stack in bf16 without a GPU: its kernels emulated, and its tensor cores interpreted.
/// </summary>
/// <remarks>
/// With a GPU <see cref="ParityTests"/> runs every case so. Here are the cases that take seconds; the rest is slow.
/// </remarks>
[Category("Parity")]
public sealed class BrainParityTests
{
    private const string Adapter = "A-mha/rslora_attn_r8";

    [TestCase("D-linear/forward", Rounding.Activations)]
    [TestCase("D-linear/forward_bf16_weights", Rounding.Activations)]
    [TestCase("E-bias/forward", Rounding.Activations)]      // with the gradients of all weights
    public void A_model_agrees_with_the_reference_stack_when_emulated(string name, Rounding rounding)
    {
        using var backend = GpuBackend.OpenEmulated(DType.BFloat16);
        using var reference = ReferenceCase.Open(name, rounding);
        ForwardParity.Check(backend, reference);
    }

    [TestCase("A-mha/forward")]
    [TestCase("B-gqa-llama3/forward")]
    [TestCase("C-headdim/forward")]
    [TestCase("D-linear/forward_bf16_weights")]
    [TestCase("E-bias/forward")]
    [TestCase("A-mha/lora_qv_r4")]
    [TestCase("B-gqa-llama3/lora_all_r8")]
    public void So_it_does_on_the_cpu(string name)
    {
        using var backend = new CpuBackend(1, DType.BFloat16);
        using var reference = ReferenceCase.Open(name, Rounding.Activations);
        Action<IBackend, ReferenceCase> check = name.Contains("lora") ? LoraParity.Check : ForwardParity.Check;
        check(backend, reference);
    }

    /// <summary>Rank 8: the adapter's products are steps of the frozen products' sums, there and back.</summary>
    [Test]
    public void An_adapter_and_its_gradients_agree_with_the_reference_stack_on_interpreted_tensor_cores()
    {
        using var interpreter = new PtxInterpreter();
        using var backend = GpuBackend.OpenInterpreted(DType.BFloat16, interpreter);
        using var reference = ReferenceCase.Open(Adapter, Rounding.ActivationsAndWeights);
        LoraParity.Check(backend, reference, merges: false);
        string[] ran = [.. interpreter.Ran.Select(k => $"{k.DeclaringType!.Name}.{k.Name}").Distinct()];
        Assert.That(ran, Is.SupersetOf((string[])[
            "FlashForward.ForwardKernel", "FlashBackward.QueryKernel", "FlashBackward.KeyKernel",
            "FlashBackward.ValueKernel", "LoraGpu.RoundKernel", "GpuGemv.ProductKernel",
            "TensorCoreGemm.ProductKernel"]));
    }

    [Slow("emulates and interprets whole models for minutes")]
    [TestCase("A-mha/forward", Rounding.Activations, false)]
    [TestCase("A-mha/lora_qv_r4", Rounding.ActivationsAndWeights, true)]
    [TestCase("B-gqa-llama3/lora_all_r8", Rounding.Activations, false)]
    [TestCase("B-gqa-llama3/lora_all_r8", Rounding.ActivationsAndWeights, true)]
    [TestCase("B-gqa-llama3/forward", Rounding.ActivationsAndWeights, true)]
    [TestCase("C-headdim/forward", Rounding.ActivationsAndWeights, true)]
    [TestCase("E-bias/lora_all_r4", Rounding.Activations, false)]
    [TestCase("E-bias/lora_all_r4", Rounding.ActivationsAndWeights, false)]
    [TestCase("A-mha/generate_greedy", Rounding.ActivationsAndWeights, true)]
    [TestCase("B-gqa-llama3/generate_greedy", Rounding.ActivationsAndWeights, true)]
    public void So_do_larger_cases(string name, Rounding rounding, bool tensorCores)
    {
        using var interpreter = new PtxInterpreter();
        using var backend = tensorCores
            ? GpuBackend.OpenInterpreted(DType.BFloat16, interpreter) : GpuBackend.OpenEmulated(DType.BFloat16);
        using var reference = ReferenceCase.Open(name, rounding);
        Action<IBackend, ReferenceCase> check = name.Contains("forward") ? ForwardParity.Check
            : name.Contains("lora") ? LoraParity.Check : GenerationParity.Check;
        check(backend, reference);
    }
}
