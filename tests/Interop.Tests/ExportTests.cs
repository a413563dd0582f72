using SafeLlama.Data;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Interop.Tests;

/// <summary>What we write, computed by libllama.</summary>
[Category("Parity")]
public sealed class ExportTests
{
    /// <summary>A right export is within 3e-5; the rest is room for other instruction sets.</summary>
    private const double Tolerance = 1e-4;

    private static IEnumerable<Expected> ReferenceModels() =>
        Expected.All().Where(c => c.Model.StartsWith("reference/", StringComparison.Ordinal) && c.Adapter is null);

    private static IEnumerable<Expected> ReferenceAdapters() =>
        Expected.All().Where(c => c.Adapter?.StartsWith("reference/", StringComparison.Ordinal) == true);

    [TestCaseSource(nameof(ReferenceModels))]
    public void Exported_reference_models_have_our_logits(object expected)
    {
        var sample = (Expected)expected;
        using var engine = new Engine(Expected.PathOf(sample.Model));
        using var llama = new Libllama(engine.Export(GgufFormat.F32));
        var (theirs, ours) = (llama.Logits(sample.Ids), engine.Logits(sample.Ids));
        MustAgree(theirs, ours);
        Assert.That(ours[^1], Is.EqualTo(sample.Doubles("logits_last")).Within(Tolerance), "the fixture");
        Assert.That(llama.Greedy(sample.Ids, sample.Greedy.Length), Is.EqualTo(sample.Greedy));
    }

    [TestCaseSource(nameof(ReferenceAdapters))]
    public void Exported_adapters_change_logits_as_ours_do(object expected)
    {
        var sample = (Expected)expected;
        using var engine = new Engine(Expected.PathOf(sample.Model), Expected.PathOf(sample.Adapter!));
        var file = Path.Combine(TestFiles.NewFolder(), "adapter.gguf");
        GgufAdapter.Write(engine.Adapter!, engine.Config, "test", file);
        using var plain = new Engine(Expected.PathOf(sample.Model));
        using var llama = new Libllama(plain.Export(GgufFormat.F32));
        llama.Adapter(file, sample.Scale);
        var theirs = llama.Logits(sample.Ids);
        Assert.That(
            Array.ConvertAll(theirs[^1], v => (double)v),
            Is.EqualTo(sample.Doubles("logits_last")).Within(Tolerance));
        if (sample.Scale == 1)
        {
            MustAgree(theirs, engine.Logits(sample.Ids));
        }

        llama.Adapter(file, 0);
        MustAgree(llama.Logits(sample.Ids), plain.Logits(sample.Ids));
    }

    /// <summary>A trained adapter over all linears of a trained model: r = 8, grouped queries, tied.</summary>
    [TestCase(0)]
    [TestCase(0.5f)]
    [TestCase(1)]
    public void A_trained_adapter_gives_libllamas_own_answers(float scale)
    {
        var sample = Expected.All().Single(
            c => c.Adapter == "stories260K-lora.gguf" && c.Scale.Equals(scale));
        using var engine = new Engine(TestFiles.Real("stories260K"), TestFiles.Interop("stories260K-lora"));
        var file = Path.Combine(TestFiles.NewFolder(), "adapter.gguf");
        GgufAdapter.Write(engine.Adapter!, engine.Config, "test", file);
        using var plain = new Engine(TestFiles.Real("stories260K"));
        using var llama = new Libllama(plain.Export(GgufFormat.F32));
        llama.Adapter(file, scale);
        var last = llama.Logits(sample.Ids)[^1];
        Assert.That(
            Array.ConvertAll(last, v => (double)v), Is.EqualTo(sample.Doubles("logits_last")).Within(Tolerance));
        Assert.That(llama.Greedy(sample.Ids, sample.Greedy.Length), Is.EqualTo(sample.Greedy));
    }

    [Test]
    public void The_miniature_answers_as_it_does_here()
    {
        var folder = Expected.PathOf("assets/miniature");
        using var engine = new Engine(folder);
        var tokenizer = TokenizerLoader.Load(folder);
        using var llama = new Libllama(engine.Export(GgufFormat.F32, tokenizer, ModelTokens.Read(folder)));
        foreach (var sample in Expected.All().Where(c => c.Model.StartsWith("assets/", StringComparison.Ordinal)))
        {
            Assert.That(
                llama.Tokenize(sample.Prompt!).Prepend(tokenizer.BosId!.Value), Is.EqualTo(sample.Ids), sample.Prompt);
            Assert.That(llama.Greedy(sample.Ids, sample.Greedy.Length), Is.EqualTo(sample.Greedy), sample.Prompt);
        }
    }

    [TestCase("A-mha", "A-mha-lora_pattern")]
    [TestCase("A-mha", "A-mha-rslora_attn_r8")]
    [TestCase("B-gqa-llama3", "B-gqa-llama3-lora_all_r8")]
    [TestCase("E-bias", "E-bias-lora_all_r4")]
    public void A_merged_export_has_the_logits_of_base_and_adapter(string model, string adapter)
    {
        var ids = Expected.All().First(c => c.Model == $"reference/models/{model}").Ids;
        using var engine = new Engine(
            Expected.PathOf($"reference/models/{model}"), Expected.PathOf($"reference/adapters/{adapter}"));
        using var llama = new Libllama(engine.Export(GgufFormat.F32));
        MustAgree(llama.Logits(ids), engine.Logits(ids));
    }

    [Test]
    public void Stories260K_gives_its_trainers_200_tokens()
    {
        var folder = TestFiles.Real("stories260K");
        var expected = File.ReadAllText(Path.Combine(folder, "expected_200_greedy_from_bos.txt"));
        using var engine = new Engine(folder);
        var tokenizer = TokenizerLoader.Load(folder);
        using var llama = new Libllama(engine.Export(GgufFormat.F32, tokenizer, ModelTokens.Read(folder)));
        var text = tokenizer.Decode([.. llama.Greedy([tokenizer.BosId!.Value], 200)]);
        Assert.That(expected, Does.StartWith(text.TrimEnd()).Or.EqualTo(text));
        Assert.That(text.Length, Is.GreaterThan(400));
    }

    internal static void MustAgree(float[][] theirs, double[][] ours)
    {
        Assert.That(theirs, Has.Length.EqualTo(ours.Length));
        for (var row = 0; row < ours.Length; row++)
        {
            Assert.That(
                Array.ConvertAll(theirs[row], v => (double)v), Is.EqualTo(ours[row]).Within(Tolerance), $"row {row}");
        }
    }
}
