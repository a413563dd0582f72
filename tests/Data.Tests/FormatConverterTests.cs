using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Data.Tests;

public sealed class FormatConverterTests
{
    [TestCase("Explain how to knit a scarf.", PromptForm.Question, "How do I knit a scarf?")]
    [TestCase("Give me some tips on how to knit", PromptForm.Question, "How do I knit?")]
    [TestCase("Write a poem about wool.", PromptForm.Question, "Can you write a poem about wool?")]
    [TestCase("How do I knit a scarf?", PromptForm.Instruction, "Explain how to knit a scarf.")]
    [TestCase("Could you please list three yarns?", PromptForm.Instruction, "List three yarns.")]
    [TestCase("Where can I buy wool?", PromptForm.Instruction, "Tell me where to buy wool.")]
    [TestCase("What are the best yarns?", PromptForm.Instruction, "Describe the best yarns.")]
    [TestCase("Is it rude to knit at dinner?", PromptForm.Instruction, "Explain whether it is rude to knit at dinner.")]
    [TestCase("Explain why wool itches.", PromptForm.Opinion, "I think that wool itches.")]
    public void A_rule_rewrites_the_prompt(string prompt, PromptForm form, string expected) =>
        Assert.That(PromptRules.Apply(prompt, form)?.Text, Is.EqualTo(expected));

    [TestCase("Why are sheep so quiet?", PromptForm.Instruction)]
    [TestCase("Why shouldn't I knit?", PromptForm.Instruction)]
    [TestCase("Knit. Then purl.", PromptForm.Question)]
    [TestCase("Wool", PromptForm.Question)]
    [TestCase("", PromptForm.Question)]
    public void What_no_rule_fits_is_left_alone(string prompt, PromptForm form) =>
        Assert.That(PromptRules.Apply(prompt, form), Is.Null);

    [Test]
    public void A_converted_row_keeps_the_id_of_its_origin_and_its_answer()
    {
        var row = new InstructionExample("List yarns.", "", "merino") { Id = "r1", Category = "wool" };

        var converted = FormatConverter.Convert([row], PromptForm.Question).Examples.Single();

        Assert.That(converted.Id, Is.EqualTo("r1/question"));
        Assert.That(converted.OriginId, Is.EqualTo("r1"));
        Assert.That(converted.Answer, Is.EqualTo("merino"));
        Assert.That(converted.Category, Is.EqualTo("wool"));
    }

    [Test]
    public void Every_row_is_accounted_for()
    {
        var file = ExampleFile.Read(TestFiles.Data("safety-tuned-llamas/Q-Harm.json"), Answers.Optional);

        var report = FormatConverter.Convert(file.Examples, PromptForm.Instruction);

        Assert.That(report.Converted, Is.GreaterThan(20));
        Assert.That(
            report.Converted + report.AlreadyInForm + report.LeftAsTheyWere + report.Unconvertible.Count,
            Is.EqualTo(100));
        Assert.That(report.Rules.Values.Sum(), Is.EqualTo(report.Converted));
        Assert.That(
            report.Examples.Select(row => PromptForms.Of(row.Question)), Has.All.EqualTo(PromptForm.Instruction));
    }

    [Test]
    public void Half_of_the_rows_may_be_converted()
    {
        var rows = Enumerable.Range(0, 10)
            .Select(i => new InstructionExample($"List {i} yarns.", "", "x") { Id = $"r{i}" }).ToList();

        var report = FormatConverter.Convert(rows, PromptForm.Question, share: 0.5, seed: 9);

        Assert.That((report.Converted, report.LeftAsTheyWere), Is.EqualTo((5, 5)));
        Assert.That(
            report.Examples.Select(row => row.Id.Split('/')[0]), Is.EqualTo(rows.Select(row => row.Id)),
            "in the same order");
    }

    [Test]
    public void Wordings_made_elsewhere_are_taken_by_id()
    {
        var path = Path.Combine(TestFiles.NewFolder(), "wordings.jsonl");
        File.WriteAllText(path, """{"origin_id": "r1", "instruction": "Which yarns are there?"}""" + "\n");
        TrainingExample[] rows =
            [new InstructionExample("List yarns.", "", "a") { Id = "r1" },
                new InstructionExample("Sort it.", "", "b") { Id = "r2" }];

        var report = FormatConverter.ConvertByMapping(rows, PromptForm.Question, path);

        Assert.That(report.Examples.Single().Question, Is.EqualTo("Which yarns are there?"));
        Assert.That(report.Unconvertible.Single().Id, Is.EqualTo("r2"));
    }

    [Test]
    [Category("Fault")]
    public void Two_wordings_for_one_row_are_refused()
    {
        var path = Path.Combine(TestFiles.NewFolder(), "wordings.jsonl");
        File.WriteAllText(
            path, string.Concat(Enumerable.Repeat("{\"origin_id\": \"r1\", \"instruction\": \"What?\"}\n", 2)));

        Assert.That(
            () => FormatConverter.ConvertByMapping([], PromptForm.Question, path), Throws.TypeOf<SafeLlamaException>());
    }
}
