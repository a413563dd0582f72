using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Gguf;

/// <summary>Quantized blocks as weights that stay as they are stored.</summary>
public sealed class GgufBlockFormatTests
{
    private static readonly LlamaConfig Config = TinyLlama.Config with
    {
        HiddenSize = 256,
        IntermediateSize = 256,
        Heads = 4,
        KeyValueHeads = 2,
        HeadDim = 64,
        InitializerRange = 0.1,
    };

    public static IEnumerable<GgufType> Types() => Enum.GetValues<GgufType>().Where(type => type.BlockValues() > 1);

    [TestCaseSource(nameof(Types))]
    public void A_part_of_a_row_is_decoded_as_in_the_whole_row(GgufType type)
    {
        var values = Array.ConvertAll(TinyLlama.Normal(1024, seed: 3), value => (float)value);
        var (stored, whole) = (new byte[type.ByteCount(values.Length)], new float[values.Length]);
        GgufBlocks.Encode(type, values, stored);
        GgufBlocks.Decode(type, stored, whole);
        foreach (var (first, count) in new[] { (0, 1024), (0, 1), (31, 2), (33, 300), (255, 514), (1023, 1) })
        {
            var part = new float[count];
            GgufBlockFormat.Of(type).Decode(stored, first, part);
            Assert.That(part, Is.EqualTo(whole[first..(first + count)]), $"{count} from {first}");
        }
    }

    [TestCase(GgufFormat.Q8_0)]
    [TestCase(GgufFormat.Q4_0)]
    [TestCase(GgufFormat.Q4_K_M)]
    public void Loss_and_LoRA_gradients_over_blocks_agree_with_the_reference(GgufFormat format)
    {
        var path = Path.Combine(TestFiles.NewFolder(), "blocks.gguf");
        using var reference = new ReferenceBackend();
        using (var drawn = LlamaWeights.InitializeRandom(reference, Config, 4))
        {
            new GgufModel(drawn, null, "blocks", format, [("tokenizer.ggml.model", "none")], Threads: 1).Write(path);
        }

        using var cpu = new CpuBackend(2);
        var (expected, gradients) = LossAndGradients(reference, path);
        var (loss, found) = LossAndGradients(cpu, path);

        // fp32 against fp64: sums of 256 products.
        Assert.That(loss, Is.EqualTo(expected).Within(1e-4));
        foreach (var (ours, theirs) in found.Zip(gradients))
        {
            Assert.That(ours, Is.EqualTo(theirs).Within(1e-3 * theirs.Max(Math.Abs)));
        }
    }

    private static (double Loss, List<double[]> Gradients) LossAndGradients(IBackend backend, string path)
    {
        using var weights = LlamaWeights.Load(backend, LlamaConfig.Load(path), path);
        Assert.That(weights[LlamaShapes.EmbeddingName].Value.Type, Is.EqualTo(DType.Blocks));
        using var adapter = TinyLlama.Adapter(backend, weights.Config);
        using var model = new Llama(backend, weights, adapter, 32);
        using var workspace = new Workspace(model, 20, forBackward: true);
        var loss = TinyLlama.Loss(model, TinyLlama.Upload(workspace, TinyLlama.Tokens(12, 1), TinyLlama.Tokens(8, 2)));
        return (loss, [.. adapter.Parameters.Select(p => p.Gradient.ReadDoubles())]);
    }
}
