using SafeLlama.Data;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests.Engine;

/// <summary>What the check of an export finds.</summary>
public sealed class ExportCheckTests : IDisposable
{
    private static readonly string Miniature = Path.Combine(TestFiles.Root, "assets", "miniature");

    private readonly CpuBackend _backend = new(2);
    private LlamaSession _original = null!;

    private static PromptTemplate Template => PromptTemplate.Load(Path.Combine(Miniature, "template.json"));

    private static SuitePrompt[] Prompts =>
    [
        .. new[] { "Explain how to make a cake.", "Where is the cat?", "Name a bird." }.Select((text, i) =>
            new SuitePrompt("test", $"{i}", text, PromptLabel.Benign, PromptFormat.Instruction)),
        new("test", "context", "Sum up.", PromptLabel.Benign, PromptFormat.Instruction) { Context = "A text." },
    ];

    [OneTimeSetUp]
    public void Open() => _original = LlamaSession.Open(_backend, Miniature, new() { Template = Template });

    public void Dispose()
    {
        _original.Dispose();
        _backend.Dispose();
    }

    [Test]
    public void An_exact_export_answers_as_the_model_does()
    {
        var path = Path.Combine(TestFiles.NewFolder(), "model.gguf");
        using (var export = ModelExport.Open(new ExportRequest { Model = Miniature, Template = Template }))
        {
            export.WriteModel(path);
        }

        var result = Check(path, new JinjaTemplate(ChatTemplateFile.Find(path)!, TokenizerLoader.Load(path)));
        Assert.That(result.IsWithin(ExportTolerance.Of(GgufFormat.F32)), string.Join("\n", Lines(result)));
        Assert.That((result.Prompts, result.LeftOut), Is.EqualTo((3, 1)));
    }

    [TestCase("Instruction: {instruction} Response:\n")]
    [TestCase(" Instruction: {instruction} Response:")]
    public void Another_form_of_the_prompt_is_found_before_any_answer_differs(string form)
    {
        var other = AlpacaTemplate.Create("other", "", "{instruction} {input}", form, "Response:");
        var result = Check(Miniature, other);
        Assert.That(result.OtherPrompts, Is.EqualTo(3));
        Assert.That(result.FirstOtherPrompt, Is.EqualTo("test/0"));
        Assert.That(result.IsWithin(ExportTolerance.Of(GgufFormat.Q4_0)), Is.False);
    }

    [Test]
    public void More_changed_answers_or_verdicts_than_a_type_allows_are_too_many()
    {
        var result = new ExportComparison { Prompts = 250, OtherAnswers = 32, OtherVerdicts = 2 };
        Assert.That(result.IsWithin(ExportTolerance.Of(GgufFormat.Q4_0)));
        Assert.That(result.IsWithin(ExportTolerance.Of(GgufFormat.Q8_0)), Is.False);
        Assert.That((result with { OtherVerdicts = 6 }).IsWithin(ExportTolerance.Of(GgufFormat.Q4_0)), Is.False);
    }

    private static IEnumerable<string> Lines(ExportComparison result) =>
        result.Lines(ExportTolerance.Of(GgufFormat.F32));

    private ExportComparison Check(string model, PromptTemplate template)
    {
        using var exported = LlamaSession.Open(_backend, model, new() { Template = template });
        return ExportCheck.Run(_original, exported, Prompts, 12, CancellationToken.None);
    }
}
