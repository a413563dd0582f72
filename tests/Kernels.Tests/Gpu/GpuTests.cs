namespace SafeLlama.Kernels.Tests;

/// <summary>The device kernels against the fp64 reference, at sizes that an emulated device can bear.</summary>
/// <remarks>Sizes fill no group and no tile evenly, and are larger than one of each.</remarks>
internal sealed class GpuTests
{
    /// <summary>
    /// bf16 keeps 8 bits, 2⁻⁹ per operand; a result is a sum of products of two or three that were rounded.
    /// </summary>
    private const double BrainTolerance = 3e-2;

    private static readonly Dictionary<string, Func<TestTensors, Tensor[]>> Ops = new()
    {
        ["RmsNorm forward"] = t => RmsNormTests.Forward(t, 3, 37),
        ["RmsNorm forward, bf16 weight"] = t => RmsNormTests.Forward(t, 2, 13, DType.BFloat16),
        ["RmsNorm forward, fp16 weight"] = t => RmsNormTests.Forward(t, 2, 13, DType.Float16),
        ["RmsNorm backward"] = t => Gradients(RmsNormTests.Backward(t, 3, 37)),
        ["Linear forward, one row"] = t => [LinearTests.Forward(t, 1, 19, 3)],
        ["Linear forward"] = t => [LinearTests.Forward(t, 9, 37, 19)],
        ["Linear forward, bf16 weight"] = t => [LinearTests.Forward(t, 3, 21, 9, DType.BFloat16)],
        ["Linear forward, fp16 weight"] = t => [LinearTests.Forward(t, 3, 21, 9, DType.Float16, bias: false)],
        ["Linear forward, one row onto a residual"] = t => [LinearTests.ForwardResidual(t, 1, 19, 3)],
        ["Linear forward, onto a residual"] = t => [LinearTests.ForwardResidual(t, 9, 37, 19)],
        ["Linear forward, one gated row"] = t => LinearTests.ForwardGated(t, 1, 19, 3),
        ["Linear forward, gated"] = t => LinearTests.ForwardGated(t, 9, 37, 19),
        ["Linear backward"] = t => Gradients(LinearTests.Backward(t, 9, 37, 19, accumulate: true)),
        ["Linear backward, overwriting"] = t => [LinearTests.Backward(t, 5, 7, 11, accumulate: false)[0].Gradient],
        ["LoRA forward"] = t => LoraTests.Forward(t, 5, 23, 11, 3, 0.3),
        ["LoRA backward"] = t => Gradients(LoraTests.Backward(t, 5, 23, 11, 3, 0.3)),
        ["Rope"] = t => [RopeTests.Forward(t, 5, 2, 6)],
        ["Attention forward"] = t => AttentionTests.Forward(t, 21, 2, 1, 6, 2),
        ["Attention backward"] = t => Gradients(AttentionTests.Backward(t, 21, 2, 1, 6, 2)),
        ["Attention, ungrouped"] = t => Gradients(AttentionTests.Backward(t, 5, 2, 2, 4, 1)),
        ["Attention decoding"] = t => AttentionTests.Decode(t, 2, 60, 4, 2, 5),
        ["Attention decoding, keys in parts"] = t => AttentionTests.Decode(t, 3, 200, 4, 2, 5),
        ["Attention decoding, heads in blocks"] = t => AttentionTests.Decode(t, 1, 130, 9, 1, 16),
        ["SwiGlu forward"] = t => [SwiGluTests.Forward(t, 3, 37)],
        ["SwiGlu backward"] = t => Gradients(SwiGluTests.Backward(t, 3, 37)),
        ["LayerNorm forward"] = t => LayerNormTests.Forward(t, 3, 37),
        ["LayerNorm forward, fp16 scale"] = t => LayerNormTests.Forward(t, 2, 13, DType.Float16),
        ["LayerNorm backward"] = t => Gradients(LayerNormTests.Backward(t, 3, 37)),
        ["Dora norm"] = t => [DoraTests.Norm(t, 9, 37, 3, DType.Float16)],
        ["Dora forward"] = t => [DoraTests.Forward(t, 3, 37)],
        ["Dora backward"] = t => Gradients(DoraTests.Backward(t, 3, 37)),
        ["Gelu forward"] = t => [GeluTests.Forward(t, 3, 37)],
        ["Gelu backward"] = t => Gradients(GeluTests.Backward(t, 3, 37)),
        ["DisentangledAttention forward"] = t => DisentangledAttentionTests.Forward(t, 21, 2, 6, 2),
        ["DisentangledAttention backward"] = t => Gradients(DisentangledAttentionTests.Backward(t, 21, 2, 6, 2)),
        ["CrossEntropy forward"] = t => CrossEntropyTests.Forward(t, 5, 41),
        ["CrossEntropy backward"] = t => [CrossEntropyTests.Backward(t, 5, 41)],
        ["Embedding forward"] = t => [EmbeddingTests.Forward(t, 7, 5, 19)],
        ["Embedding backward"] = t => [EmbeddingTests.Backward(t, 7, 3, 19)],
        ["Elementwise gather"] = t => [ElementwiseTests.Gather(t, 3, 37)],
        ["Elementwise noise"] = t => [ElementwiseTests.Noise(t, 3, 37)],
        ["Elementwise totals"] = t => ElementwiseTests.Totals(t, 3, 37),
        ["AdamW"] = t => AdamWTests.Update(t, 3, 37, normSquared: 9),
        ["AdamW, norm not finite"] = t => AdamWTests.Update(t, 2, 5, normSquared: double.NaN),
    };

    private static IEnumerable<string> Names => Ops.Keys;

    [Test]
    public void A_kernel_agrees_with_reference(
        [ValueSource(typeof(Backends), nameof(Backends.Gpu))] string backend, [ValueSource(nameof(Names))] string op) =>
        OpTests.AgreesWithReference(backend, Ops[op], backend.Contains("bf16") ? BrainTolerance : OpTests.Single);

    private static Tensor[] Gradients((string Input, Tensor Gradient)[] backward) =>
        [.. backward.Select(g => g.Gradient)];
}
