using SafeLlama.Data;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Interop.Tests;

/// <summary>What we write, computed by libllama.</summary>
[Category("Parity")]
public sealed class ExportTests
{
    /// <summary>INTEROP: what a right export gives is below 3e-5; 1e-4 leaves room for another instruction set.</summary>
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
