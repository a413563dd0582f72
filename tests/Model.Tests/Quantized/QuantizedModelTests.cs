using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Quantized;

/// <summary>A whole model over quantized linears: gradients, threads, sizes, and what is refused.</summary>
public sealed class QuantizedModelTests
{
    private string _folder = "";

    public static IEnumerable<LoadForm> Forms() =>
        [new(LoadAs.Nf4), new(LoadAs.Nf4, Nested: true), new(LoadAs.Int8Weights)];

    [OneTimeSetUp]
    public void Write()
    {
        _folder = TestFiles.NewFolder();
        using var backend = new ReferenceBackend();
        using var weights = LlamaWeights.InitializeRandom(backend, TinyLlama.Config, seed: 1);
        weights.Save(Path.Combine(_folder, "model.safetensors"), DType.Float32);
    }

    [TestCaseSource(nameof(Forms))]
    public void Adapter_gradients_through_dequantized_weights_agree_with_finite_differences(LoadForm form)
    {
        using var backend = new ReferenceBackend();
        using var weights = LlamaWeights.Load(backend, TinyLlama.Config, _folder, form);
        using var adapter = TinyLlama.Adapter(backend, TinyLlama.Config);
        using var model = new Llama(backend, weights, adapter, 32);
        using var workspace = new Workspace(model, 20, forBackward: true);
        using var forward = new Workspace(model, 20, forBackward: false);
        int[][] examples = [TinyLlama.Tokens(9, 1), TinyLlama.Tokens(5, 2)];
        TinyLlama.Loss(model, TinyLlama.Upload(workspace, examples));
        foreach (var parameter in adapter.Parameters)
        {
            var (at, gradient) = (parameter.Value.ReadDoubles(), parameter.Gradient.ReadDoubles());
            GradientCheck.Check(parameter.Name, at, gradient, values =>
            {
                parameter.Value.Write(values);
                return TinyLlama.Loss(model, TinyLlama.Upload(forward, examples));
            }, 1e-5);
            parameter.Value.Write(at);
        }
    }

    [TestCase(LoadAs.Nf4)]
    [TestCase(LoadAs.Int8Weights)]
    [TestCase(LoadAs.Int8)]
    public void Any_number_of_threads_gives_the_same_bytes_and_the_reference_agrees(LoadAs form)
    {
        (double Loss, List<double[]> Gradients) Run(IBackend backend)
        {
            using (backend)
            {
                using var weights = LlamaWeights.Load(backend, TinyLlama.Config, _folder, new(form));
                using var adapter = TinyLlama.Adapter(backend, TinyLlama.Config);
                using var model = new Llama(backend, weights, adapter, 32);
                using var workspace = new Workspace(model, 20, forBackward: true);
                var loss = TinyLlama.Loss(
                    model, TinyLlama.Upload(workspace, TinyLlama.Tokens(12, 1), TinyLlama.Tokens(8, 2)));
                return (loss, [.. adapter.Parameters.Select(p => p.Gradient.ReadDoubles())]);
            }
        }

        var (loss, gradients) = Run(new CpuBackend(1));
        Assert.That(Run(new CpuBackend(3)).Gradients, Is.EqualTo(gradients));

        // fp32 against fp64; where activations are quantized, one that rounds the other way moves a term by 1/127.
        var (expected, exact) = Run(new ReferenceBackend());
        Assert.That(loss, Is.EqualTo(expected).Within(form == LoadAs.Int8 ? 0.02 : 1e-4));
        foreach (var (ours, theirs) in gradients.Zip(exact))
        {
            Assert.That(ours, Is.EqualTo(theirs).Within((form == LoadAs.Int8 ? 0.05 : 1e-3) * theirs.Max(Math.Abs)));
        }
    }

    [TestCase(LoadAs.Nf4)]
    [TestCase(LoadAs.Int8)]
    public void A_device_without_kernels_for_blocks_gets_decoded_weights_and_says_so(LoadAs form)
    {
        using var device = GpuBackend.OpenEmulated(DType.Float32);
        using var reference = new ReferenceBackend();
        using var weights = LlamaWeights.Load(device, TinyLlama.Config, _folder, new(form));
        using var expected = LlamaWeights.Load(
            reference, TinyLlama.Config, _folder, new(form == LoadAs.Int8 ? LoadAs.Int8Weights : form));
        foreach (var shape in LlamaShapes.Of(TinyLlama.Config))
        {
            Assert.That(
                weights[shape.Name].Value.ReadDoubles(), Is.EqualTo(expected[shape.Name].Value.ReadDoubles()),
                shape.Name);
        }

        Assert.That(weights.Notes, Has.Exactly(1).Contains("decoded to fp32"));
        Assert.That(
            weights.Notes[0].Contains("activations that meet them stay", StringComparison.Ordinal), Is.EqualTo(form == LoadAs.Int8));
    }

    /// <summary>Read beside the map: the quantized model is what is held, as the plan counts it.</summary>
    [Test]
    public void The_plan_counts_the_bytes_of_the_tensors()
    {
        File.WriteAllText(Path.Combine(_folder, "config.json"), ConfigJson().ToJsonString());
        using var backend = new CpuBackend(1);
        foreach (var form in Forms())
        {
            using var weights = LlamaWeights.Load(backend, TinyLlama.Config, _folder, form);
            var held = LlamaShapes.Of(TinyLlama.Config).Sum(shape => weights[shape.Name].Value.ByteCount);
            Assert.That(LlamaWeights.BytesOf(_folder, form), Is.EqualTo(held), form.ToString());
        }
    }

    [Test]
    public void Embeddings_head_norms_and_biases_stay()
    {
        using var backend = new CpuBackend(1);
        using var plain = LlamaWeights.Load(backend, TinyLlama.Config, _folder);
        using var weights = LlamaWeights.Load(backend, TinyLlama.Config, _folder, new(LoadAs.Nf4));
        foreach (var shape in LlamaShapes.Of(TinyLlama.Config))
        {
            var isLinear = LlamaShapes.LinearNames.Any(name => shape.Name.EndsWith(
                $".{name}.weight", StringComparison.Ordinal));
            Assert.That(weights[shape.Name].Value.Type == DType.Blocks, Is.EqualTo(isLinear), shape.Name);
            if (!isLinear)
            {
                Assert.That(
                    weights[shape.Name].Value.ReadDoubles(), Is.EqualTo(plain[shape.Name].Value.ReadDoubles()));
            }
        }
    }

    [TestCase("A-mha-nf4", LoadAs.Int8, "quantized to nf4 already")]
    [TestCase("A-mha-int8", LoadAs.Nf4, "quantized to int8 already")]
    public void A_quantized_checkpoint_is_not_quantized_anew(string model, LoadAs form, string expected)
    {
        var folder = Path.Combine(TestFiles.Reference, "models", model);
        using var backend = new CpuBackend(1);
        var error = Assert.Throws<SafeLlamaException>(
            () => LlamaWeights.Load(backend, LlamaConfig.Load(folder), folder, new(form)))!;
        Assert.That(error.Message, Does.Contain(expected));
        Assert.That(
            () => LlamaWeights.LoadTrainable(backend, LlamaConfig.Load(folder), folder),
            Throws.InstanceOf<SafeLlamaException>().With.Message.Contain("base of LoRA"));
    }

    [TestCase("A-mha-nf4", ".mlp.up_proj.weight.absmax", "is missing")]
    [TestCase("A-mha-nf4-dq", ".mlp.up_proj.weight.nested_absmax", "is missing")]
    [TestCase("A-mha-int8", ".mlp.up_proj.SCB", "stores I8, expected F32")]
    public void A_part_that_is_missing_is_named(string model, string part, string expected)
    {
        var source = Path.Combine(TestFiles.Reference, "models", model);
        var folder = TestFiles.NewFolder();
        using (var files = CheckpointFiles.Open(source))
        {
            SafetensorsWriter.Write(
                Path.Combine(folder, "model.safetensors"),
                files.Tensors.Values.Where(t => !t.Entry.Name.EndsWith("0" + part, StringComparison.Ordinal))
                    .Select(t => SafetensorsItem.Copy(t.File, t.Entry)));
        }

        using var backend = new CpuBackend(1);
        var error = Assert.Throws<SafeLlamaException>(
            () => LlamaWeights.Load(backend, LlamaConfig.Load(source), folder))!;
        Assert.That(error.Message, Does.Contain(expected));
    }

    [TestCase("\"quant_method\":\"gptq\"", "gptq")]
    [TestCase("\"quant_method\":\"bitsandbytes\",\"load_in_4bit\":true,\"bnb_4bit_quant_type\":\"fp4\"", "fp4")]
    [TestCase("\"quant_method\":\"bitsandbytes\"", "one of")]
    public void A_form_that_is_not_read_is_named(string fields, string expected)
    {
        var json = ConfigJson();
        json[Quantization.Key] = JsonNode.Parse($"{{{fields}}}");
        var file = Path.Combine(TestFiles.NewFolder(), "config.json");
        File.WriteAllText(file, json.ToJsonString());
        var error = Assert.Throws<SafeLlamaException>(() => LlamaConfig.Load(file))!;
        Assert.That(error.Message, Does.Contain(expected).And.Contain(Quantization.Key));
    }

    private static JsonObject ConfigJson()
    {
        var json = JsonNode.Parse(
            File.ReadAllText(Path.Combine(TestFiles.Reference, "models", "A-mha", "config.json")))!.AsObject();
        var c = TinyLlama.Config;
        (json["vocab_size"], json["hidden_size"], json["intermediate_size"]) =
            (c.VocabularySize, c.HiddenSize, c.IntermediateSize);
        (json["num_hidden_layers"], json["num_attention_heads"], json["num_key_value_heads"]) =
            (c.Layers, c.Heads, c.KeyValueHeads);
        json["head_dim"] = c.HeadDim;
        return json;
    }
}
