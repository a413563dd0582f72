using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Quantized;

/// <summary>Checkpoints that we quantize, beside those that transformers and bitsandbytes wrote.</summary>
public sealed class QuantizedCheckpointTests
{
    [TestCase("A-mha", "A-mha-nf4", LoadAs.Nf4, false)]
    [TestCase("A-mha", "A-mha-nf4-dq", LoadAs.Nf4, true)]
    [TestCase("A-mha", "A-mha-int8", LoadAs.Int8, false)]
    [TestCase("B-gqa-llama3", "B-gqa-llama3-nf4", LoadAs.Nf4, false)]
    [TestCase("B-gqa-llama3", "B-gqa-llama3-nf4-dq", LoadAs.Nf4, true)]
    [TestCase("B-gqa-llama3", "B-gqa-llama3-int8", LoadAs.Int8, false)]
    public void A_quantized_checkpoint_is_that_of_bitsandbytes(string source, string expected, LoadAs form, bool nested)
    {
        var folder = TestFiles.NewFolder();
        ModelFolder.Quantize(folder, ModelOf(source), new(form, nested));
        using var ours = CheckpointFiles.Open(folder);
        using var theirs = CheckpointFiles.Open(ModelOf(expected));
        Assert.That(ours.Tensors.Keys, Is.EquivalentTo(theirs.Tensors.Keys));
        foreach (var (name, their) in theirs.Tensors)
        {
            var our = ours.Tensors[name];
            Assert.That(our.Entry.Type, Is.EqualTo(their.Entry.Type), name);
            if (name.EndsWith("__nf4", StringComparison.Ordinal))
            {
                CheckState(our.File.Bytes(our.Entry).ToArray(), their.File.Bytes(their.Entry).ToArray(), name);
                continue;
            }

            Assert.That(our.Entry.Shape, Is.EqualTo(their.Entry.Shape), name);
            CheckBytes(name, our.File.Bytes(our.Entry).ToArray(), their.File.Bytes(their.Entry).ToArray());
        }

        var (config, other) = (Config(folder), Config(ModelOf(expected)));
        Assert.That(
            JsonNode.DeepEquals(config[Quantization.Key], other[Quantization.Key]),
            $"{config[Quantization.Key]} beside {other[Quantization.Key]}");
    }

    [TestCase(LoadAs.Nf4, true)]
    [TestCase(LoadAs.Int8, false)]
    public void It_gives_the_weights_of_the_model_that_is_quantized_as_it_is_read(LoadAs form, bool nested)
    {
        var folder = TestFiles.NewFolder();
        ModelFolder.Quantize(folder, ModelOf("A-mha"), new(form, nested));
        using var backend = new CpuBackend(1);
        using var stored = LlamaWeights.Load(backend, LlamaConfig.Load(folder), folder);
        using var loaded = LlamaWeights.Load(
            backend, LlamaConfig.Load(ModelOf("A-mha")), ModelOf("A-mha"), new(form, nested));
        foreach (var shape in LlamaShapes.Of(stored.Config))
        {
            Assert.That(
                stored[shape.Name].Value.ReadDoubles(), Is.EqualTo(loaded[shape.Name].Value.ReadDoubles()), shape.Name);
        }

        Assert.That(stored.Ignored, Is.Empty);
        Assert.That(
            () => ModelFolder.Quantize(TestFiles.NewFolder(), folder, new(form, nested)),
            Throws.InstanceOf<SafeLlamaException>().With.Message.Contain("quantized once more"));
    }

    /// <summary>Adapters are trained over the decoded weights, so they are folded into those.</summary>
    [TestCase("A-mha-nf4", LoadAs.Stored)]
    [TestCase("A-mha-nf4-dq", LoadAs.Stored)]
    [TestCase("A-mha-int8", LoadAs.Int8Weights)]
    [TestCase("A-mha", LoadAs.Nf4)]
    public void Merged_weights_and_the_adapter_beside_its_base_give_the_same_logits(string model, LoadAs load)
    {
        using var backend = new ReferenceBackend();
        var (folder, merged) = (ModelOf(model), TestFiles.NewFolder());
        var adapterFolder = Path.Combine(TestFiles.Reference, "adapters", "A-mha-lora_qv_r4");
        var config = LlamaConfig.Load(folder);
        using var weights = LlamaWeights.Load(backend, config, folder, new(load));
        using var adapter = PeftFolder.Load(backend, config, adapterFolder);
        var report = ModelFolder.Merge(
            merged, folder, weights, adapter, adapterFolder, new MergeForm(MergedType.Fp32));
        Assert.That(report.Requantized.Keys, Is.EqualTo([0, 1]));
        Assert.That(report.Requantized.Values, Has.All.Positive);
        var mergedConfig = LlamaConfig.Load(merged);
        Assert.That(mergedConfig.Quantization, Is.Null);
        using var plain = LlamaWeights.Load(backend, mergedConfig, merged);
        Assert.That(plain.Ignored, Is.Empty);
        var (expected, actual) = (Logits(weights, adapter), Logits(plain, null));
        Assert.That(actual, Is.EqualTo(expected).Within(1e-5 * expected.Max(Math.Abs)));
        Assert.That(
            () => ModelFolder.Merge(
                TestFiles.NewFolder(), folder, weights, adapter, adapterFolder, new MergeForm(MergedType.Stored)),
            Throws.InstanceOf<SafeLlamaException>().With.Message.Contain("stay quantized"));
    }

    private static double[] Logits(LlamaWeights weights, LoraAdapter? adapter)
    {
        using var backend = new ReferenceBackend();
        using var model = new Llama(backend, weights, adapter, 16);
        using var workspace = new Workspace(model, 12, forBackward: false);
        var pass = TinyLlama.Upload(workspace, TinyLlama.Tokens(12, 1, vocabulary: 300));
        model.Forward(pass);
        using var arena = new Arena(backend, "rows");
        var rows = arena.Take(new(12), DType.Int32, "rows");
        arena.Commit();
        rows.Write([.. Enumerable.Range(0, 12)]);
        return model.Logits(pass, rows).ReadDoubles();
    }

    /// <summary>The nested offset is a mean in fp32, and what is measured from it: an ulp or two of it.</summary>
    private static void CheckState(byte[] ours, byte[] theirs, string name)
    {
        var (our, their) = (JsonNode.Parse(ours)!.AsObject(), JsonNode.Parse(theirs)!.AsObject());
        Assert.That(our.Select(p => p.Key), Is.EquivalentTo(their.Select(p => p.Key)), name);
        foreach (var (key, value) in their)
        {
            if (key == "nested_offset")
            {
                var offset = value!.GetValue<double>();
                Assert.That(our[key]!.GetValue<double>(), Is.EqualTo(offset).Within(5e-7 * offset), name);
            }
            else
            {
                Assert.That(JsonNode.DeepEquals(our[key], value), $"{name}: {key}");
            }
        }
    }

    private static void CheckBytes(string name, byte[] ours, byte[] theirs)
    {
        if (name.EndsWith(".nested_absmax", StringComparison.Ordinal))
        {
            for (var i = 0; i < theirs.Length; i += 4)
            {
                var expected = BitConverter.ToSingle(theirs, i);
                Assert.That(BitConverter.ToSingle(ours, i), Is.EqualTo(expected).Within(1e-6 * expected), name);
            }
        }
        else if (ours.Length == theirs.Length && name.EndsWith("_proj.weight", StringComparison.Ordinal)
            && !ours.SequenceEqual(theirs))
        {
            // int8: entries within 1e-4 of a half may be one off. NF4 codes are exact.
            var differing = ours.Zip(theirs).Where(p => p.First != p.Second).ToList();
            Assert.That(differing, Has.Count.LessThan(54), name);
            Assert.That(
                differing.All(p => Math.Abs((sbyte)p.First - (sbyte)p.Second) == 1) && name.Length > 0, name);
        }
        else
        {
            Assert.That(ours, Is.EqualTo(theirs), name);
        }
    }

    private static string ModelOf(string name) => Path.Combine(TestFiles.Reference, "models", name);

    private static JsonObject Config(string folder) =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!.AsObject();
}
