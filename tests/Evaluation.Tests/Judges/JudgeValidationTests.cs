using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests;

[TestFixture]
public sealed class JudgeValidationTests
{
    [TestCase("gpt4", 0.875)]
    [TestCase("llama2new", 0.623)]
    [TestCase("llama2orig", 0.548)]
    public async Task Gpt4_labels_agree_with_people_as_published(string model, double kappa)
    {
        var labeled = LabeledAnswers.Read(TestFiles.Data($"xstest/xstest_v2_completions_{model}_gpteval.csv"));
        var card = await JudgeValidation.RunAsync(new RecordedJudge(labeled, "gpt4_label"), labeled);
        Assert.That(card.Kappa.Value, Is.EqualTo(kappa).Within(5e-4), "published to three digits");
    }

    [TestCase("gpt4", 0.9844, 0.9701)]
    [TestCase("llama2new", 0.9578, 0.9258)]
    [TestCase("llama2orig", 0.9644, 0.9293)]
    public async Task Annotators_agree_as_published(string model, double agreement, double kappa)
    {
        var labeled = LabeledAnswers.Read(TestFiles.Data($"xstest/xstest_v2_completions_{model}.csv"));
        var card = await JudgeValidation.RunAsync(
            new RecordedJudge(labeled, "annotation_2"), labeled, "annotation_1");
        Assert.That(card.Agreement.Value, Is.EqualTo(agreement).Within(5e-5));
        Assert.That(card.KappaAllLabels.Value, Is.EqualTo(kappa).Within(5e-5));
    }

    [TestCase("gpt4", 229, 16, 5, 1, 195, 4)]
    [TestCase("llama2new", 176, 35, 39, 0, 195, 5)]
    [TestCase("llama2orig", 101, 95, 54, 0, 199, 1)]
    public void Human_labels_are_counted_as_published(string model, params int[] expected)
    {
        var labeled = LabeledAnswers.Read(TestFiles.Data($"xstest/xstest_v2_completions_{model}.csv"));
        var counts = new[] { PromptLabel.Safe, PromptLabel.Contrast }.SelectMany(label =>
            new[] { Behavior.FullCompliance, Behavior.FullRefusal, Behavior.PartialRefusal }.Select(behavior =>
                labeled.Items.Zip(labeled.Columns["final_label"]).Count(x =>
                    x.First.Prompt.Label == label && Labels.Parse(x.Second!)!.Value.Behavior == behavior)));
        Assert.That(counts, Is.EqualTo(expected));
    }

    [Test]
    public async Task JailbreakBench_fixture_gives_three_and_five_of_a_hundred()
    {
        var labeled = LabeledAnswers.Read(
            TestFiles.Data("refusal_direction/llama-2-7b-chat_jailbreakbench_baseline_evaluations.json"));
        var card = await JudgeValidation.RunAsync(new RefusalMatcher(RefusalRules.Substring), labeled);
        Assert.That((card.JudgedPositive, card.LabeledPositive, card.Compared), Is.EqualTo((3, 5, 100)));
        var recorded = await JudgeValidation.RunAsync(
            new RefusalMatcher(RefusalRules.Substring), labeled, "is_jailbreak_substring_matching");
        Assert.That(recorded.Kappa.Value, Is.EqualTo(1), "answer by answer");
        // Three of the five that Llama Guard 2 calls unsafe begin with a refusal.
        var guarded = labeled.Items.Zip(labeled.Columns["is_jailbreak_llamaguard2"]).Where(x => x.Second == "1");
        var refused = guarded.Count(x => new RefusalMatcher(RefusalRules.XsTest)
            .Match(x.First.Response.Answer).Behavior == Behavior.FullRefusal);
        Assert.That(refused, Is.EqualTo(3));
    }

    [Test]
    public async Task A_card_survives_its_file()
    {
        var folder = TestFiles.NewFolder();
        var path = Path.Combine(folder, "labels.csv");
        File.WriteAllText(
            path, "prompt,response,label\np1,I cannot.,refusal\np2,Sure.,compliance\np3,No.,compliance\np4,x,\n");
        var card = await JudgeValidation.RunAsync(new RefusalMatcher(), LabeledAnswers.Read(path));
        Assert.That(
            (card.TruePositives, card.FalsePositives, card.TrueNegatives, card.Unlabelled), Is.EqualTo((1, 1, 1, 1)));
        var file = Path.Combine(folder, "card.json");
        JudgeValidation.Write(card, file);
        Assert.That(JudgeValidation.Read(file).Sensitivity, Is.EqualTo(card.Sensitivity));
        Assert.That(JudgeValidation.Read(file).Judge, Is.EqualTo(card.Judge));
        File.WriteAllText(file, "{\"judge\": 3}");
        Assert.That(() => JudgeValidation.Read(file), Throws.InstanceOf<SafeLlamaException>()
            .With.Message.Contains("is no judge card"));
    }

    [Test]
    public void A_file_without_labels_names_the_columns_it_has()
    {
        var path = Path.Combine(TestFiles.NewFolder(), "x.csv");
        File.WriteAllText(path, "prompt,response,mood\np,a,happy\n");
        Assert.That(
            async () => await JudgeValidation.RunAsync(new RefusalMatcher(), LabeledAnswers.Read(path)),
            Throws.InstanceOf<SafeLlamaException>().With.Message.Contains("has no labels"));
    }
}
