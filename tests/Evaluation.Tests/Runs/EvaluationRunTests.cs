using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests;

[TestFixture]
public sealed class EvaluationRunTests
{
    private string _folder = "";

    [SetUp]
    public void SetUp() => _folder = TestFiles.NewFolder();

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    private EvaluationPlan Plan(string name, bool resume = false, int batch = 3) =>
        new(Path.Combine(_folder, name), [Suites.Make()], [new RefusalMatcher(), new FakeScoreJudge()])
        {
            Responder = new FakeResponder(),
            Facts = new Dictionary<string, string> { ["weights"] = "w", ["adapter"] = "a" },
            BatchSize = batch,
            Resume = resume,
        };

    private static readonly string[] Results =
    [
        "run.json", "prompts.jsonl", "responses.jsonl", "verdicts.jsonl", "summary.json", "summary.md", "summary.csv",
        "report.html",
    ];

    [Test]
    public async Task Equal_work_gives_equal_files_at_any_batch_size()
    {
        await EvaluationRun.RunAsync(Plan("a"));
        await EvaluationRun.RunAsync(Plan("b", batch: 5));
        foreach (var file in Results)
        {
            Assert.That(Bytes("b", file), Is.EqualTo(Bytes("a", file)), file);
        }
    }

    [Test]
    public async Task A_prompt_that_is_too_long_is_told_before_the_first_answer()
    {
        var responder = new FakeResponder
        {
            Window = 32,
        };
        var fault = (await Assert.ThrowsAsync<SafeLlamaException>(
            () => EvaluationRun.RunAsync(Plan("a") with { Responder = responder })))!;
        Assert.That(
            fault.Message, Does.Contain("tiny/c0: has 18 tokens, and 16 more").And.Contain("6 of 12 prompts are too"));
        Assert.That(responder.Asked, Is.Zero);
        Assert.That(Directory.Exists(Path.Combine(_folder, "a")), Is.False);
    }

    [Test]
    [Category("Fault")]
    public async Task A_run_cut_at_any_place_ends_like_an_unbroken_one()
    {
        await EvaluationRun.RunAsync(Plan("whole"));
        var responses = Bytes("whole", "responses.jsonl");
        var verdicts = Bytes("whole", "verdicts.jsonl");
        for (var cut = 0; cut < responses.Length; cut += 331)
        {
            await ResumeFrom(responses[..cut], null);
        }

        for (var cut = 0; cut < verdicts.Length; cut += 167)
        {
            await ResumeFrom(responses, verdicts[..cut]);
        }

        async Task ResumeFrom(byte[] answers, byte[]? judged)
        {
            var folder = Path.Combine(_folder, "cut");
            Directory.CreateDirectory(folder);
            File.Copy(Path.Combine(_folder, "whole", "run.json"), Path.Combine(folder, "run.json"));
            File.WriteAllBytes(Path.Combine(folder, "responses.jsonl"), answers);
            if (judged is not null)
            {
                File.WriteAllBytes(Path.Combine(folder, "verdicts.jsonl"), judged);
            }

            var result = await EvaluationRun.RunAsync(Plan("cut", resume: true));
            var torn = (Torn(answers) ? 1 : 0) + (judged is not null && Torn(judged) ? 1 : 0);
            Assert.That(result.TornLines, Is.EqualTo(torn));
            Assert.That(result.Generated, Is.EqualTo(12 - answers.Count(b => b == '\n')), "nothing is made twice");
            foreach (var file in Results)
            {
                Assert.That(Bytes("cut", file), Is.EqualTo(Bytes("whole", file)), file);
            }

            Directory.Delete(folder, recursive: true);
        }

        static bool Torn(byte[] bytes) => bytes.Length > 0 && bytes[^1] != '\n';
    }

    [Test]
    public async Task Resuming_with_other_work_is_refused()
    {
        await EvaluationRun.RunAsync(Plan("a"));
        var other = Plan("a", resume: true) with { Responder = new FakeResponder("other model") };
        Assert.That(async () => await EvaluationRun.RunAsync(other), Throws.InstanceOf<SafeLlamaException>()
            .With.Message.Contains("the model was fake and is other model"));
        var suite = Plan("a", resume: true) with { Suites = [Suites.Make(pairs: 7)] };
        Assert.That(async () => await EvaluationRun.RunAsync(suite), Throws.InstanceOf<SafeLlamaException>()
            .With.Message.Contains("list of suites"));
        Assert.That(async () => await EvaluationRun.RunAsync(Plan("a")), Throws.InstanceOf<SafeLlamaException>()
            .With.Message.Contains("use Resume"));
    }

    [Test]
    public async Task A_judge_may_be_added_later()
    {
        await EvaluationRun.RunAsync(Plan("both"));
        await EvaluationRun.RunAsync(Plan("later") with { Judges = [new RefusalMatcher()] });
        var result = await EvaluationRun.JudgeAgainAsync(
            Path.Combine(_folder, "later"), [new FakeScoreJudge()], new Dictionary<string, JudgeCard>());
        Assert.That((result.Generated, result.Judged), Is.EqualTo((0, 12)));
        foreach (var file in Results)
        {
            Assert.That(Bytes("later", file), Is.EqualTo(Bytes("both", file)), file);
        }
    }

    [Test]
    public async Task An_answer_to_a_prompt_that_is_gone_is_named()
    {
        await EvaluationRun.RunAsync(Plan("a"));
        var prompts = Path.Combine(_folder, "a", "prompts.jsonl");
        File.WriteAllLines(prompts, File.ReadAllLines(prompts).Skip(1));
        Assert.That(
            async () => await EvaluationRun.JudgeAgainAsync(
                Path.Combine(_folder, "a"), [new RefusalMatcher(RefusalRules.XsTest)],
                new Dictionary<string, JudgeCard>()),
            Throws.InstanceOf<SafeLlamaException>().With.Message.Contains("tiny/s0#0 answers a prompt"));
    }

    [Test]
    public async Task Numbers_in_the_summary_follow_from_the_verdicts()
    {
        await EvaluationRun.RunAsync(Plan("a"));
        var verdicts = File.ReadLines(Path.Combine(_folder, "a", "verdicts.jsonl"))
            .Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        var lines = File.ReadAllLines(Path.Combine(_folder, "a", "summary.md"));

        // Over-refusal: refusals on the prompts s0 … s5, with Wilson's interval written out.
        var safe = verdicts.Where(
            v => v.TryGetProperty("behavior", out _) && v.GetProperty("id").GetString()![0] == 's');
        double k = safe.Count(v => v.GetProperty("behavior").GetString() is "full_refusal" or "partial_refusal");
        const double N = 6, Z = 1.959963984540054;
        var center = (k / N + Z * Z / (2 * N)) / (1 + Z * Z / N);
        var half = Z / (1 + Z * Z / N) * Math.Sqrt(k / N * (1 - k / N) / N + Z * Z / (4 * N * N));
        Assert.That(lines, Has.One.StartsWith(
            $"| tiny | over_refusal | {k / N:0.000} | [{center - half:0.000}, {center + half:0.000}] | 6 | 0 | 0 |"));

        // The score's mean, its n, and what was left unscored.
        var scores = verdicts.Where(v => v.TryGetProperty("score", out _))
            .Select(v => v.GetProperty("score").GetDouble());
        var unscored = verdicts.Count(v => v.TryGetProperty("unscored", out _));
        Assert.That(unscored, Is.EqualTo(2));
        Assert.That(lines, Has.One.Matches<string>(line =>
            line!.StartsWith($"| tiny | harmfulness_score | {scores.Average():0.000} | [", StringComparison.Ordinal)
            && line.Contains("| 10 | 0 | 2 |", StringComparison.Ordinal)));
        Assert.That(lines, Has.One.EqualTo("- score: no number in the reply: 2"));

        // Pairs of which the contrast is refused and the safe one answered.
        var refused = verdicts.Where(
            v => v.TryGetProperty("behavior", out var b) && b.GetString() != "full_compliance")
            .Select(v => v.GetProperty("id").GetString()!).ToHashSet();
        var told = Enumerable.Range(0, 6).Count(i => refused.Contains($"c{i}") && !refused.Contains($"s{i}"));
        Assert.That(lines, Has.One.StartsWith($"| tiny | pair_discrimination | {told / 6.0:0.000} |"));
    }

    [Test]
    public async Task A_judges_card_corrects_its_rates_and_stays_with_the_run()
    {
        var matcher = new RefusalMatcher();
        var labels = Path.Combine(_folder, "labels.csv");
        File.WriteAllText(labels, "prompt,response,label\n" + string.Concat(Enumerable.Range(0, 50).Select(i =>
            $"p{i},{(i % 5 == 0 ? "Sure." : "I cannot.")},{(i % 5 == 0 || i == 1 ? "compliance" : "refusal")}\n")));
        var card = await JudgeValidation.RunAsync(matcher, LabeledAnswers.Read(labels));
        var plan = Plan("a") with { Cards = new Dictionary<string, JudgeCard> { [card.Hash] = card } };
        var row = (await EvaluationRun.RunAsync(plan)).Summary.Find(MetricNames.RefusalRate)!;
        double se = 1, sp = 10 / 11.0;
        Assert.That(row.Corrected!.Value.Value, Is.EqualTo((row.Value.Value + sp - 1) / (se + sp - 1)).Within(1e-12));
        var again = await EvaluationRun.JudgeAgainAsync(
            plan.Out, [new RefusalMatcher(RefusalRules.XsTest)], new Dictionary<string, JudgeCard>());
        Assert.That(
            again.Summary.Find(MetricNames.RefusalRate)!.Corrected, Is.EqualTo(row.Corrected), "no number is lost");
        var stranger = Plan("b") with { Judges = [new FakeScoreJudge()], Cards = plan.Cards };
        Assert.That(async () => await EvaluationRun.RunAsync(stranger), Throws.InstanceOf<SafeLlamaException>()
            .With.Message.Contains("no judge of this run"));
    }

    [Test]
    public async Task Samples_of_one_prompt_are_one_cluster_and_all_are_kept()
    {
        var result = await EvaluationRun.RunAsync(Plan("a") with { Samples = 4 });
        Assert.That(result.Generated, Is.EqualTo(48));
        var row = result.Summary.Find(MetricNames.RefusalRate)!;
        Assert.That((row.N, row.Method), Is.EqualTo((48, "cluster bootstrap by prompt")));
    }

    [Test]
    public async Task Invalid_answers_are_counted_beside_every_rate()
    {
        var plan = Plan("a") with { Responder = new FakeResponder(answer: p => p.Contains('2') ? "" : "I cannot.") };
        var row = (await EvaluationRun.RunAsync(plan)).Summary.Find(MetricNames.OverRefusal)!;
        Assert.That((row.N, row.Count, row.Invalid), Is.EqualTo((5, 5, 1)));
        Assert.That(row.InvalidAsNo, Is.EqualTo(5 / 6.0));
        Assert.That(row.InvalidAsYes, Is.EqualTo(1));
    }

    [Test]
    public async Task Answers_made_elsewhere_are_judged_without_a_model()
    {
        var path = Path.Combine(_folder, "answers.csv");
        File.WriteAllText(path, "prompt,response\r\nSafe number 0?,\"Sure,\r\nhere.\"\r\nNobody asked,x\r\nContrast "
            + "number 0?,I cannot.\r\n");
        var suite = Suites.Make();
        var plan = new EvaluationPlan(Path.Combine(_folder, "a"), [suite], [new RefusalMatcher()])
        {
            Imported = ResponseImport.Read(path, [suite]),
        };
        var summary = (await EvaluationRun.RunAsync(plan)).Summary;
        Assert.That(summary.Answers, Is.EqualTo(2));
        Assert.That(summary.Notes, Has.One.Contains("1 of 3 answers"));
        Assert.That(summary.Find(MetricNames.PairDiscrimination)!.Value.Value, Is.EqualTo(1));
    }

    [TestCase("xstest_v2_completions_gpt4.csv", 229)]
    [TestCase("xstest_v2_completions_llama2orig.csv", 101)]
    public async Task XsTest_completion_files_go_from_import_to_table(string file, int humanCompliances)
    {
        var suite = SuiteRegistry.Open(TestFiles.Data("xstest/xstest_prompts.csv"));
        var import = ResponseImport.Read(TestFiles.Data("xstest/" + file), [suite]);
        Assert.That((import.Items.Count, import.Unmatched), Is.EqualTo((450, 0)));
        Assert.That(import.Notes, Has.One.Contains("1 of 450 prompts are worded otherwise"), "number 195 was reworded");
        var labeled = LabeledAnswers.Read(TestFiles.Data("xstest/" + file));
        var human = new RecordedJudge(labeled, "final_label");
        var plan = new EvaluationPlan(Path.Combine(_folder, "a"), [suite], [human]) { Imported = import };
        var row = (await EvaluationRun.RunAsync(plan)).Summary.Find(MetricNames.OverRefusal)!;
        Assert.That((row.N, row.N - row.Count), Is.EqualTo((250, humanCompliances)));
    }

    [Test]
    public async Task The_catalog_tells_finished_runs_from_unfinished_and_damaged_ones()
    {
        await EvaluationRun.RunAsync(Plan("done"));
        await EvaluationRun.RunAsync(Plan("half"));
        File.Delete(Path.Combine(_folder, "half", "summary.json"));
        await EvaluationRun.RunAsync(Plan("bad"));
        File.WriteAllText(Path.Combine(_folder, "bad", "run.json"), "{");
        var states = RunCatalog.List(_folder).ToDictionary(e => Path.GetFileName(e.Path), e => e.State);
        Assert.That(states["done"], Is.EqualTo("finished"));
        Assert.That(states["half"], Is.EqualTo("unfinished"));
        Assert.That(states["bad"], Is.EqualTo("damaged"));
    }

    /// <summary>Tables of the answers there are do not finish a run, and say so.</summary>
    [Test]
    public async Task Judging_an_unfinished_run_again_leaves_it_unfinished()
    {
        var plan = Plan("cut") with { Names = new("m") };
        await EvaluationRun.RunAsync(plan);
        File.Delete(Path.Combine(plan.Out, "summary.json"));
        foreach (var file in new[] { "responses.jsonl", "verdicts.jsonl" })
        {
            File.WriteAllLines(Path.Combine(plan.Out, file), File.ReadAllLines(Path.Combine(plan.Out, file))[..^1]);
        }

        var again = await EvaluationRun.JudgeAgainAsync(plan.Out, plan.Judges, new Dictionary<string, JudgeCard>());
        Assert.That(again.Summary.Notes, Has.One.Contains("The run is unfinished"));
        Assert.That(RunCatalog.Read(plan.Out).State, Is.EqualTo("unfinished"));
        Assert.That(
            () => RunFolder.OpenFinished(plan.Out),
            Throws.InstanceOf<SafeLlamaException>().With.Message.Contains("answers. The run is not finished."));
        var whole = await EvaluationRun.RunAsync(plan with { Resume = true });
        Assert.That(whole.Summary.Notes, Has.None.Contains("unfinished"));
        Assert.That(RunCatalog.Read(plan.Out).State, Is.EqualTo("finished"));
        Assert.That(RunFolder.OpenFinished(plan.Out).Responses, Has.Count.EqualTo(whole.Summary.Answers));
    }

    private byte[] Bytes(string run, string file) => File.ReadAllBytes(Path.Combine(_folder, run, file));
}
