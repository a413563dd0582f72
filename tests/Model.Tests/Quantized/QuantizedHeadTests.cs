using System.Runtime.InteropServices;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Quantized;

/// <summary>Checkpoints of bitsandbytes that name modules to skip: a list of one's own takes the head off it.</summary>
/// <remarks>
/// As transformers writes them (issue 45674 there): the head is quantized like any linear, and what was named is not.
/// </remarks>
public sealed class QuantizedHeadTests
{
    private const string Skipped = "model.layers.0.self_attn.q_proj.weight";

    private string _folder = null!;

    [OneTimeSetUp]
    public void Write()
    {
        _folder = TestFiles.NewFolder();
        var (source, plain) = (ModelOf("A-mha-nf4"), ModelOf("A-mha"));
        foreach (var file in Directory.EnumerateFiles(source).Where(f => !f.EndsWith(".safetensors", StringComparison.Ordinal)))
        {
            File.Copy(file, Path.Combine(_folder, Path.GetFileName(file)));
        }

        using var files = CheckpointFiles.Open(source);
        using var originals = CheckpointFiles.Open(plain);
        var (skippedFile, skipped) = originals.Tensors[Skipped];
        var (headFile, head) = originals.Tensors[LlamaShapes.HeadName];
        var matrix = QuantizedRows.ToNf4(headFile, head);
        var state = BitsAndBytes.StateOf(head.Shape, "float32", null);
        static byte[] Bytes(ReadOnlySpan<float> values) => MemoryMarshal.AsBytes(values).ToArray();
        SafetensorsItem[] items =
        [
            .. files.Tensors.Values.Where(t => t.Entry.Name != LlamaShapes.HeadName
                && !t.Entry.Name.StartsWith(Skipped, StringComparison.Ordinal))
                .Select(t => SafetensorsItem.Copy(t.File, t.Entry)),
            SafetensorsItem.Copy(skippedFile, skipped),
            SafetensorsItem.Raw(head.Name, "U8", new(matrix.Packed.Length, 1), () => matrix.Packed),
            SafetensorsItem.Raw(
                head.Name + BitsAndBytes.Map, "F32", new(16), () => Bytes(Nf4Format.Values)),
            SafetensorsItem.Raw(
                head.Name + BitsAndBytes.Absmax, "F32", new(matrix.Absmax.Length), () => Bytes(matrix.Absmax)),
            SafetensorsItem.Raw(head.Name + BitsAndBytes.State, "U8", new(state.Length), () => state),
        ];
        SafetensorsWriter.Write(
            Path.Combine(_folder, "model.safetensors"), items, new Dictionary<string, string> { ["format"] = "pt" });
    }

    [OneTimeTearDown]
    public void Remove() => Directory.Delete(_folder, recursive: true);

    [TestCase(LoadAs.Stored)]
    [TestCase(LoadAs.Nf4)]
    public void What_is_quantized_is_read_so_and_what_was_skipped_stays(LoadAs load)
    {
        using var backend = new CpuBackend(1);
        var config = LlamaConfig.Load(_folder);
        using var weights = LlamaWeights.Load(backend, config, _folder, new(load));
        Assert.That(weights[LlamaShapes.HeadName].Value.Format, Is.InstanceOf<Nf4Format>());
        Assert.That(weights[Skipped].Value.Type, Is.Not.EqualTo(DType.Blocks));
        Assert.That(weights.Ignored, Is.Empty);
        var held = LlamaShapes.Of(config).Sum(shape => weights[shape.Name].Value.ByteCount);
        Assert.That(LlamaWeights.BytesOf(_folder, new(load)), Is.EqualTo(held), "the plan counts the same");
    }

    [Test]
    public void Its_logits_are_those_of_the_decoded_head()
    {
        var (found, decoded) = (Logits(new CpuBackend(1)), Logits(new ReferenceBackend()));
        for (var i = 0; i < decoded.Length; i++)
        {
            // fp32 beside fp64, through two blocks and the head.
            Assert.That(found[i], Is.EqualTo(decoded[i]).Within(1e-4 * decoded.Max(Math.Abs)), $"logit {i}");
        }
    }

    private double[] Logits(IBackend opened)
    {
        using var backend = opened;
        using var weights = LlamaWeights.Load(backend, LlamaConfig.Load(_folder), _folder);
        using var model = new Llama(backend, weights, null, maxLength: 16);
        using var workspace = new Workspace(model, 16, forBackward: false);
        var pass = TinyLlama.Upload(workspace, new[] { 3, 1, 4, 1, 5, 9, 2, 6 });
        model.Forward(pass);
        return Parity.ForwardParity.Logits(model, pass, [0, 5, 7]);
    }

    private static string ModelOf(string name) => Path.Combine(TestFiles.Reference, "models", name);
}
