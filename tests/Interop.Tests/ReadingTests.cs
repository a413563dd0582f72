using LLama.Native;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Interop.Tests;

/// <summary>GGUF files in our engine: our own, and those that libllama made.</summary>
[Category("Parity")]
public sealed class ReadingTests
{
    private static readonly Lazy<Wide> Shared = new(() => new Wide());

    private static IEnumerable<Expected> Stories() =>
        Expected.All().Where(c => c.Model.StartsWith("stories260K", StringComparison.Ordinal) && c.Adapter is null);

    [TestCaseSource(nameof(Stories))]
    public void Files_of_libllama_have_the_logits_of_their_decoded_weights(object expected)
    {
        var sample = (Expected)expected;
        var name = sample.Case.TryGetProperty("logits_last_of_rounded_weights", out _)
            ? "logits_last_of_rounded_weights" : "logits_last";
        using var engine = new Engine(TestFiles.Interop(sample.Model));

        // fp64 here, fp32 there.
        Assert.That(engine.Logits(sample.Ids)[^1], Is.EqualTo(sample.Doubles(name)).Within(1e-4));
        var tokenizer = TokenizerLoader.Load(TestFiles.Interop(sample.Model));
        Assert.That(tokenizer.Encode(sample.Prompt!).Prepend(tokenizer.BosId!.Value), Is.EqualTo(sample.Ids));
    }

    [TestCase("A-mha")]
    [TestCase("B-gqa-llama3")]
    [TestCase("C-headdim")]
    [TestCase("D-linear")]
    [TestCase("E-bias")]
    public void An_exported_file_is_read_as_the_model_it_was(string model)
    {
        using var engine = new Engine(Expected.PathOf($"reference/models/{model}"));
        using var again = new Engine(engine.Export(GgufFormat.F32));
        int[] ids = [1, 5, 9, 33, 2, 17];

        // Epsilon, theta and factors pass through fp32; Llama 3's divisors too.
        foreach (var (ours, theirs) in engine.Logits(ids).Zip(again.Logits(ids)))
        {
            Assert.That(theirs, Is.EqualTo(ours).Within(1e-5));
        }
    }

    [TestCase("B-gqa-llama3")]
    [TestCase("C-headdim")]
    [TestCase("E-bias")]
    public void A_file_exported_again_has_the_same_tensors(string model)
    {
        using var engine = new Engine(Expected.PathOf($"reference/models/{model}"));
        var once = engine.Export(GgufFormat.F32);
        using var again = new Engine(once);
        using var first = GgufFile.Open(once);
        using var second = GgufFile.Open(again.Export(GgufFormat.F32));
        Assert.That(second.Header.Tensors.Keys, Is.EqualTo(first.Header.Tensors.Keys));
        foreach (var (name, tensor) in first.Header.Tensors)
        {
            Assert.That(
                second.Bytes(second.Header.Tensors[name], 0, tensor.ByteCount)
                    .SequenceEqual(first.Bytes(tensor, 0, tensor.ByteCount)),
                name);
        }
    }

    [TestCase(LLamaFtype.MOSTLY_Q4_K_M, "Q4_K Q6_K")]
    [TestCase(LLamaFtype.MOSTLY_Q6_K, "Q6_K")]
    [TestCase(LLamaFtype.MOSTLY_Q8_0, "Q8_0")]
    [TestCase(LLamaFtype.MOSTLY_Q4_0, "Q4_0 Q6_K")]
    [TestCase(LLamaFtype.MOSTLY_Q5_0, "Q5_0 Q6_K")]
    [TestCase(LLamaFtype.MOSTLY_Q5_1, "Q5_1 Q6_K")]
    [TestCase(LLamaFtype.MOSTLY_F16, "F16")]
    [TestCase(LLamaFtype.MOSTLY_BF16, "BF16")]
    public void Weights_of_a_quantized_file_are_those_that_libllama_decodes(LLamaFtype type, string types)
    {
        var wide = Shared.Value;
        var (stored, decoded) = (wide.File($"stored-{type}"), wide.File($"decoded-{type}"));
        Libllama.Quantize(wide.F32, stored, type);
        Libllama.Quantize(stored, decoded, LLamaFtype.ALL_F32, again: true);
        Assert.That(
            Types(stored).Except([GgufType.F32]), Is.EquivalentTo(types.Split(' ').Select(Enum.Parse<GgufType>)));
        using var ours = new Engine(stored);
        using var theirs = new Engine(decoded);
        foreach (var shape in LlamaShapes.Of(ours.Config))
        {
            var (a, b) = (ours.Weights[shape.Name].Value.ReadDoubles(), theirs.Weights[shape.Name].Value.ReadDoubles());
            Assert.That(a.AsSpan().SequenceEqual(b), shape.Name);
        }
    }

    [TestCase(GgufFormat.Q8_0, LLamaFtype.MOSTLY_Q8_0)]
    [TestCase(GgufFormat.Q4_0, LLamaFtype.MOSTLY_Q4_0)]
    [TestCase(GgufFormat.Q4_K_M, LLamaFtype.MOSTLY_Q4_K_M)]
    [TestCase(GgufFormat.Q6_K, LLamaFtype.MOSTLY_Q6_K)]
    public void Our_quantized_file_has_the_tensors_of_libllamas(GgufFormat format, LLamaFtype type)
    {
        var wide = Shared.Value;
        var theirs = wide.File($"theirs-{type}");
        Libllama.Quantize(wide.F32, theirs, type);
        using var engine = new Engine(wide.Folder);
        using var ours = GgufFile.Open(engine.Export(format));
        using var expected = GgufFile.Open(theirs);
        Assert.That(ours.Header.Tensors.Keys, Is.EquivalentTo(expected.Header.Tensors.Keys));
        foreach (var (name, tensor) in expected.Header.Tensors)
        {
            var found = ours.Header.Tensors[name];
            Assert.That(found.Type, Is.EqualTo(tensor.Type), name);
            Assert.That(
                ours.Bytes(found, 0, found.ByteCount).SequenceEqual(expected.Bytes(tensor, 0, tensor.ByteCount)), name);
        }
    }

    private static IEnumerable<GgufType> Types(string path) =>
        GgufHeader.Read(path).Tensors.Values.Select(t => t.Type).Distinct();

    /// <summary>A drawn model whose rows all block types divide: 256 wide, nine layers, grouped queries.</summary>
    private sealed class Wide
    {
        public Wide()
        {
            System.IO.File.WriteAllText(Path.Combine(Folder, "config.json"), """
                {
                  "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 256, "vocab_size": 96,
                  "intermediate_size": 256, "num_attention_heads": 8, "num_key_value_heads": 4, "num_hidden_layers": 9,
                  "max_position_embeddings": 64, "rms_norm_eps": 1e-05, "initializer_range": 0.05
                }
                """);
            using (var backend = new ReferenceBackend())
            {
                using var weights = LlamaWeights.InitializeRandom(backend, LlamaConfig.Load(Folder), 3);
                weights.Save(Path.Combine(Folder, "model.safetensors"), DType.Float32);
            }

            using var engine = new Engine(Folder);
            F32 = engine.Export(GgufFormat.F32);
        }

        public string Folder { get; } = TestFiles.NewFolder();

        public string F32 { get; }

        public string File(string name) => Path.Combine(Folder, name + ".gguf");
    }
}
