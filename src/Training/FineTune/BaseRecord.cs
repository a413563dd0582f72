using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>A quantized base as a run holds it and computes with it.</summary>
/// <param name="Form">What its linears are: <c>nf4</c>, <c>nf4 nested</c>, <c>int8</c>, <c>int8-weights</c>.</param>
/// <param name="ComputeType">
/// What products round their operands to once a weight is decoded, as <c>bnb_4bit_compute_dtype</c> names it. The
/// device decides it.
/// </param>
public sealed record BaseRecord(string Form, string ComputeType)
{
    /// <summary>What the checkpoint was made to be computed in; absent where it is quantized as it is read.</summary>
    public string? StoredComputeType { get; init; }

    /// <summary>One line for a reader.</summary>
    internal string Line => $"The base is {Form}, its products computed in {ComputeType}, as the device does"
        + (StoredComputeType is null || StoredComputeType == ComputeType
            ? "." : $"; it was made to be computed in {StoredComputeType}.");

    internal static BaseRecord? Of(FineTuneRequest request, FineTuneInputs inputs, IBackend backend)
    {
        var stored = inputs.Shape.Quantization;
        return request.Load == LoadAs.Stored && stored is null ? null
            : new(
                (request.Load != LoadAs.Stored ? request.LoadForm : new LoadForm(stored!.As, stored.Nested)).ToString(),
                Quantization.ComputeTypeOf(backend))
            {
                StoredComputeType = stored?.ComputeType,
            };
    }
}
