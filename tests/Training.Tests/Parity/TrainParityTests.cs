using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests.Parity;

[Category("Parity")]
public sealed class TrainParityTests
{
    private static readonly IReadOnlyList<string> Backends = ComputeBackends.All;

    private static IEnumerable<string> Cases =>
    [
        .. ReferenceCase.Names("train"),
        .. ReferenceCase.Names("lora_variants").Where(name => name.Contains("/train_", StringComparison.Ordinal)),
    ];

    [Test]
    public void A_training_run_agrees_with_the_reference_stack(
        [ValueSource(nameof(Cases))] string name, [ValueSource(nameof(Backends))] string backend)
    {
        using var ops = ComputeBackends.Open(backend);
        using var reference = ReferenceCase.Open(name, ComputeBackends.RoundingOf(backend));
        TrainParity.Check(ops, reference);
    }

    /// <summary>The first step has no learning rate; the second moves every B.</summary>
    [Test]
    public void Two_steps_in_bf16_agree_with_the_reference_stack_when_emulated()
    {
        using var backend = GpuBackend.OpenEmulated(DType.BFloat16);
        using var reference = ReferenceCase.Open("A-mha/train_lora_qv_r4", Rounding.Activations);
        TrainParity.Check(backend, reference, steps: 2);
    }

    [Test]
    [Slow("emulates a GPU for twenty steps of a whole model")]
    public void So_does_a_whole_run()
    {
        using var backend = GpuBackend.OpenEmulated(DType.BFloat16);
        using var reference = ReferenceCase.Open("A-mha/train_lora_qv_r4", Rounding.Activations);
        TrainParity.Check(backend, reference);
    }
}
