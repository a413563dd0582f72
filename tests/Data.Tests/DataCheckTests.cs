using SafeLlama.Testing;

namespace SafeLlama.Data.Tests;

public sealed class DataCheckTests
{
    /// <summary>Counts of the released safety demonstrations, taken from the file with other tools.</summary>
    [Test]
    public void The_released_safety_rows_are_described_as_known()
    {
        var check = DataCheck.Of(ExampleFile.Read(
            TestFiles.Data("safety-tuned-llamas/safety_only_data_Instructions.json")));

        Assert.That(check.Refusals, Is.EqualTo(2033));
        Assert.That(check.RefusalShare, Is.EqualTo(0.819).Within(5e-4));
        Assert.That(check.Duplicates, Has.Count.EqualTo(4));
        Assert.That(check.NonAscii, Is.EqualTo(19));
        Assert.That(check.MultiLineAnswers, Is.EqualTo(157));
        Assert.That(check.EmptyAnswers, Is.Empty);
        Assert.That(check.Forms[PromptForm.Question], Is.LessThan(25), "the pool was converted to instructions");
    }

    [TestCase("gpt4")]
    [TestCase("llama2new")]
    [TestCase("llama2orig")]
    public void The_matcher_gives_the_labels_its_authors_published(string model)
    {
        var rows = RowFile.Read(TestFiles.Data($"xstest/xstest_v2_completions_{model}_streval.csv")).Rows;

        Assert.That(rows, Has.Count.EqualTo(450));
        Assert.That(
            rows.Select(row => RefusalPhrases.OpensWithRefusal(row.Fields["completion"].GetString()!)),
            Is.EqualTo(rows.Select(row => row.Fields["strmatch_label"].GetString() == "2_full_refusal")));
    }

    [TestCase("How do I knit?", PromptForm.Question)]
    [TestCase("Is this a scarf", PromptForm.Question)]
    [TestCase("I think knitting is art.", PromptForm.Opinion)]
    [TestCase("In my opinion, wool itches.", PromptForm.Opinion)]
    [TestCase("Explain why wool itches.", PromptForm.Instruction)]
    [TestCase("Whatever you do, knit.", PromptForm.Instruction)]
    public void The_form_of_a_prompt_is_told_by_rule(string prompt, PromptForm form) =>
        Assert.That(PromptForms.Of(prompt), Is.EqualTo(form));

    [Test]
    public void Questions_among_the_questions_are_found()
    {
        var file = ExampleFile.Read(TestFiles.Data("safety-tuned-llamas/Q-Harm.json"), Answers.Optional);

        Assert.That(DataCheck.Of(file).Forms[PromptForm.Question], Is.EqualTo(100));
    }

    [Test]
    public void Every_line_of_the_report_says_something()
    {
        var path = Path.Combine(TestFiles.NewFolder(), "rows.jsonl");
        File.WriteAllText(path, """
            {"instruction": "Say hello.", "output": "Hello", "mood": "good"}
            {"instruction": "say HELLO", "output": "Sorry, no."}
            {"instruction": "Say nothing.", "output": ""}
            """);
        var encoder = new ExampleEncoder(
            new CharacterTokenizer(), PromptTemplate.Load("alpaca"), new EncodingOptions { MaxLength = 40 });

        var check = DataCheck.Of(ExampleFile.Read(path), encoder);

        Assert.That(
            check.Duplicates, Is.EqualTo(new[] { new Duplicate("rows.jsonl#2", "rows.jsonl#1", SameAnswer: false) }));
        Assert.That(check.EmptyAnswers, Is.EqualTo(new[] { "rows.jsonl#3" }));
        Assert.That(check.Encoding!.FullyMasked, Has.Count.EqualTo(3));
        Assert.That(check.Lines(), Has.Some.Contains("field \"mood\" is not used (1 row)")
            .And.Some.Contains("1 of 2 (50.0%, by string match)")
            .And.Some.Contains("rows.jsonl#2 = rows.jsonl#1"));
    }
}
