namespace SafeLlama.Kernels.Tests;

/// <summary>How an op splits its work depends on shapes alone; so the number of threads changes no byte.</summary>
internal sealed class DeterminismTests
{
    private static readonly Dictionary<string, Func<TestTensors, Tensor[]>> Ops = new()
    {
        ["RmsNorm forward"] = t => RmsNormTests.Forward(t, 300, 260),
        ["RmsNorm backward"] = t => Gradients(RmsNormTests.Backward(t, 300, 260)),
        ["Linear forward"] = t => [LinearTests.Forward(t, 131, 401, 530)],
        ["Linear forward, onto a residual"] = t => [LinearTests.ForwardResidual(t, 131, 401, 530)],
        ["Linear backward"] = t => Gradients(LinearTests.Backward(t, 131, 401, 530, accumulate: true)),
        ["LoRA forward"] = t => LoraTests.Forward(t, 400, 256, 300, 8, 0.1),
        ["LoRA backward"] = t => Gradients(LoraTests.Backward(t, 400, 256, 300, 8, 0.1)),
        ["Rope"] = t => [RopeTests.Forward(t, 200, 4, 48)],
        ["Attention forward"] = t => AttentionTests.Forward(t, 300, 4, 2, 16, 3),
        ["Attention backward"] = t => Gradients(AttentionTests.Backward(t, 300, 4, 2, 16, 3)),
        ["Attention backward, in parts"] = t => Gradients(AttentionTests.Backward(t, 700, 4, 2, 16, 1)),
        ["Attention decoding"] = t => AttentionTests.Decode(t, 3, 200, 4, 2, 16),
        ["Dora norm"] = t => [DoraTests.Norm(t, 300, 260, 8, DType.BFloat16)],
        ["Dora forward"] = t => [DoraTests.Forward(t, 300, 600)],
        ["Dora backward"] = t => Gradients(DoraTests.Backward(t, 300, 600)),
        ["SwiGlu forward"] = t => [SwiGluTests.Forward(t, 200, 344)],
        ["SwiGlu backward"] = t => Gradients(SwiGluTests.Backward(t, 200, 344)),
        ["CrossEntropy forward"] = t => CrossEntropyTests.Forward(t, 50, 4100),
        ["CrossEntropy backward"] = t => [CrossEntropyTests.Backward(t, 50, 4100)],
        ["Embedding forward"] = t => [EmbeddingTests.Forward(t, 300, 50, 260)],
        ["Embedding backward"] = t => [EmbeddingTests.Backward(t, 300, 50, 260)],
        ["Elementwise gather"] = t => [ElementwiseTests.Gather(t, 300, 260)],
        ["Elementwise scatter"] = t => [ElementwiseTests.Scatter(t, 300, 260)],
        ["Elementwise sum"] = t => [ElementwiseTests.Sum(t, 300, 1000)],
        ["Elementwise noise"] = t => [ElementwiseTests.Noise(t, 300, 260)],
        ["Elementwise totals"] = t => ElementwiseTests.Totals(t, 300, 1000),
        ["AdamW"] = t => AdamWTests.Update(t, 300, 260, normSquared: 9),
    };

    private static IEnumerable<string> Names => Ops.Keys;

    [TestCaseSource(nameof(Names))]
    public void One_thread_equals_two_bit_for_bit(string op) => OpTests.IsTheSameForAnyThreadCount(Ops[op]);

    private static Tensor[] Gradients((string Input, Tensor Gradient)[] backward) =>
        [.. backward.Select(g => g.Gradient)];
}
