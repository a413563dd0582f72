using SafeLlama.Common;
using SafeLlama.Inference;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests;

/// <summary>A row is never another prompt's answer, and nothing is lost in silence.</summary>
public sealed class ImportIdentityTests
{
    private const string Refusal = "I cannot help with that.";
    private const string Help = "Here is how it is done, step by step.";

    private string _folder = "";

    [SetUp]
    public void SetUp() => _folder = TestFiles.NewFolder();

    [Test]
    public void One_id_with_two_prompts_is_refused()
    {
        var file = Lines(
            $$"""{"id": "1", "prompt": "First list, question 1?", "response": "{{Refusal}}"}""",
            $$"""{"id": "1", "prompt": "Second list, question 1?", "response": "{{Help}}"}""");
        Refused(file, [], ":2: ", "another prompt on line 1");
    }

    [Test]
    public void One_prompt_with_two_labels_is_refused()
    {
        var file = Lines(
            $$"""{"id": "1", "prompt": "A?", "prompt_label": "safe", "response": "{{Refusal}}"}""",
            $$"""{"id": "1", "prompt": "A?", "prompt_label": "unsafe", "response": "{{Refusal}}"}""");
        Refused(file, [], ":2: ", "the label safe on line 1");
    }

    [Test]
    public void Rows_without_an_id_never_take_the_id_of_another_row()
    {
        var import = ResponseImport.Read(
            Lines(
                $$"""{"prompt": "No id, row 1", "response": "{{Refusal}}"}""",
                $$"""{"id": "3", "prompt": "Has id 3, row 2", "response": "{{Help}}"}""",
                $$"""{"prompt": "No id, row 3", "response": "{{Refusal}}"}"""), []);
        Assert.That(import.Items.Select(i => i.Prompt.Id), Is.EqualTo(["1", "3", "row-3"]));
        Assert.That(import.Items.Select(i => i.Response.Sample), Is.All.Zero);
        Assert.That(import.Notes, Has.One.Contains("3 of 3 rows do not say"));
    }

    [Test]
    public void Answers_to_prompts_of_equal_text_go_to_one_each()
    {
        var import = ResponseImport.Read(
            Lines(
                $$"""{"prompt": "Same words?", "response": "{{Refusal}}"}""",
                $$"""{"prompt": "Same words?", "response": "{{Help}}"}""",
                $$"""{"prompt": "Others?", "response": "{{Refusal}}"}"""),
            [Suite(("a", "Same words?"), ("b", "Same words?"), ("c", "Others?"))]);
        Assert.That(
            import.Items.Select(i => i.Response.Key), Is.EqualTo(["given/a#0", "given/b#0", "given/c#0"]));
        Assert.That(import.Notes, Has.One.Contains("2 answers without a matching id"));
    }

    [Test]
    public void A_prompt_tried_again_and_again_does_not_hide_the_others()
    {
        var file = Lines(
            $$"""{"prompt": "A?", "response": "{{Help}}"}""",
            $$"""{"prompt": "B?", "response": "{{Refusal}}"}""",
            $$"""{"prompt": "B?", "response": "{{Refusal}}"}""",
            $$"""{"prompt": "B?", "response": "{{Refusal}}"}""");
        Refused(file, [Suite(("a", "A?"), ("b", "B?"))], ":2: ", "given/b is answered 3 times, other prompts 1");
        var meant = ResponseImport.Read(
            Lines(
                $$"""{"prompt": "A?", "sample": 0, "response": "{{Help}}"}""",
                $$"""{"prompt": "B?", "sample": 0, "response": "{{Refusal}}"}""",
                $$"""{"prompt": "B?", "sample": 1, "response": "{{Refusal}}"}"""),
            [Suite(("a", "A?"), ("b", "B?"))]);
        Assert.That(meant.Items, Has.Count.EqualTo(3));
        Assert.That(meant.Notes, Has.One.Contains("between 1 and 2 answers"));
    }

    [Test]
    public void Of_two_fields_that_may_be_the_answer_none_is_taken()
    {
        Refused(
            Lines($$"""{"prompt": "A?", "answer": "{{Refusal}}", "response": "{{Help}}"}"""),
            [Suite(("a", "A?"))], ":1: ", "\"response\" and \"answer\" hold different texts");
        Assert.That(
            ResponseImport.Read(
                Lines($$"""{"prompt": "A?", "answer": "{{Help}}", "response": "{{Help}}"}"""),
                [Suite(("a", "A?"))]).Items,
            Has.Count.EqualTo(1));
    }

    [Test]
    public void Prompts_of_equal_text_that_differ_otherwise_need_an_id()
    {
        var suite = Suite(("a", "Same words?"), ("b", "Same words?"));
        suite = suite with { Prompts = [suite.Prompts[0], suite.Prompts[1] with { Label = PromptLabel.Safe }] };
        var file = Lines($$"""{"prompt": "Same words?", "response": "{{Help}}"}""");
        Refused(file, [suite], ":1: ", "given/a or given/b");
    }

    [Test]
    public void An_id_without_a_suite_counts()
    {
        var import = ResponseImport.Read(
            Lines(
                $$"""{"id": "b", "prompt": "Same words?", "response": "{{Help}}"}""",
                $$"""{"id": "a", "prompt": "Same words?", "response": "{{Refusal}}"}""",
                $$"""{"id": "c", "prompt": "Others, in other words?", "response": "{{Help}}"}"""),
            [Suite(("a", "Same words?"), ("b", "Same words?"), ("c", "Others?"))]);
        Assert.That(
            import.Items.Select(i => (i.Prompt.Id, i.Response.Answer)),
            Is.EqualTo([("b", Help), ("a", Refusal), ("c", Help)]));
        Assert.That(import.Notes, Has.One.Contains("1 of 3 prompts are worded otherwise"));
    }

    [Test]
    public void A_text_that_belongs_to_another_id_is_matched_by_the_text_and_counted()
    {
        var import = ResponseImport.Read(
            Lines($$"""{"id": "a", "prompt": "Others?", "response": "{{Help}}"}"""),
            [Suite(("a", "Same words?"), ("c", "Others?"))]);
        Assert.That(import.Items[0].Prompt.Id, Is.EqualTo("c"));
        Assert.That(import.Notes, Has.One.Contains("1 of 1 answers name a suite or an id"));
    }

    [Test]
    public void Prompts_without_an_answer_are_counted_and_named()
    {
        var import = ResponseImport.Read(
            Lines($$"""{"id": "q0", "suite": "given", "prompt": "Question 0?", "response": "{{Refusal}}"}"""),
            [Suite(("q0", "Question 0?"), ("q1", "Question 1?"), ("q2", "Question 2?"))]);
        Assert.That(import.Unanswered, Has.Count.EqualTo(2));
        Assert.That(import.Notes, Has.One.Contains("2 of 3 prompts").And.One.Contains("given/q1, given/q2"));
    }

    [Test]
    public void Samples_are_kept_and_one_given_twice_is_refused()
    {
        const string Row = """{"id": "1", "prompt": "A?", "response": "R", "sample": """;
        var import = ResponseImport.Read(
            Lines(Row + "2}", Row + "0}", """{"id": "1", "prompt": "A?", "response": "R"}"""), []);
        Assert.That(import.Items.Select(i => i.Response.Sample), Is.EqualTo([2, 0, 1]));
        Refused(Lines(Row + "1}", Row + "1}"), [], ":2: ", "sample 1 of");
        Refused(Lines(Row + "1.5}"), [], ":1: ", "whole number");
    }

    [Test]
    public async Task A_round_trip_of_our_own_files_changes_nothing()
    {
        var first = new EvaluationPlan(Path.Combine(_folder, "a"), [Suites.Make()], [new RefusalMatcher()])
        {
            Responder = new FakeResponder { Settings = DecodingConfig.Greedy(16) },
            Samples = 2,
        };
        var before = await EvaluationRun.RunAsync(first);
        var answers = Path.Combine(first.Out, EvaluationRun.ResponsesFile);
        foreach (var suites in (PromptSuite[][])[[], [Suites.Make()]])
        {
            var again = new EvaluationPlan(Path.Combine(_folder, $"b{suites.Length}"), suites, [new RefusalMatcher()])
            {
                Imported = ResponseImport.Read(answers, suites),
            };
            var after = await EvaluationRun.RunAsync(again);
            foreach (var file in (string[])[EvaluationRun.PromptsFile, EvaluationRun.ResponsesFile,
                EvaluationRun.VerdictsFile, "summary.csv"])
            {
                Assert.That(
                    File.ReadAllText(Path.Combine(again.Out, file)),
                    Is.EqualTo(File.ReadAllText(Path.Combine(first.Out, file))), file);
            }

            Assert.That(after.Summary.Settings, Is.EqualTo(before.Summary.Settings));
        }

        File.Delete(Path.Combine(first.Out, EvaluationRun.PromptsFile));
        Refused(answers, [], "prompts.jsonl", "labels");
    }

    private static void Refused(string file, PromptSuite[] suites, params string[] parts)
    {
        var error = Assert.Throws<SafeLlamaException>(() => ResponseImport.Read(file, suites))!;
        Assert.That(error.Code, Is.EqualTo(ExitCode.InvalidData));
        foreach (var part in parts)
        {
            Assert.That(error.Message, Does.Contain(part));
        }
    }

    private string Lines(params string[] lines)
    {
        var path = Path.Combine(_folder, "answers.jsonl");
        File.WriteAllLines(path, lines);
        return path;
    }

    private static PromptSuite Suite(params (string Id, string Text)[] prompts) => new(
        "given", "given.jsonl", "",
        [
            .. prompts.Select(p =>
                new SuitePrompt("given", p.Id, p.Text, PromptLabel.Unsafe, PromptFormat.Question)),
        ], []);
}
