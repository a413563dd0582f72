using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>The verbs that check, train and run judges.</summary>
public sealed class JudgeCommandTests : IDisposable
{
    private readonly string _folder = TestFiles.NewFolder();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void A_judge_card_that_is_there_is_not_overwritten()
    {
        var (labels, card) = (Path.Combine(_folder, "labels.csv"), Path.Combine(_folder, "card.json"));
        File.WriteAllText(labels, "prompt,response,label\np,I cannot help with that.,full_refusal\n");
        File.WriteAllText(card, "mine");
        var run = CommandRun.Of("judge", "validate", "--judge", "refusal", "--labels", labels, "--out", card);
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.Usage), run.Error);
        Assert.That(File.ReadAllText(card), Is.EqualTo("mine"));
    }

    [TestCase("xstest_v2_completions_gpt4_streval.csv", "xstest", 0.871)]
    [TestCase("xstest_v2_completions_llama2new_gpteval.csv", "column:gpt4_label", 0.623)]
    public void Judge_validate_prints_the_published_kappa(string file, string judge, double kappa)
    {
        var run = CommandRun.Of(
            "judge", "validate", "--judge", judge, "--labels", TestFiles.Data("xstest/" + file), "--json");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        using var card = JsonDocument.Parse(run.Output);
        Assert.That(
            card.RootElement.GetProperty("kappa").GetProperty("value").GetDouble(), Is.EqualTo(kappa).Within(5e-4));
    }

    [Test]
    public void A_reward_model_is_trained_on_real_pairs_reported_and_used()
    {
        var pairs = TestFiles.Data("hh-rlhf/harmless-base_test.jsonl.gz");
        var (model, reward) = (Path.Combine(_folder, "model"), Path.Combine(_folder, "reward"));
        Testing.TinyModel.Write(model);
        var trained = CommandRun.Of(
            "judge", "train", "--model", model, "--pairs", pairs, "--limit", "48", "--validation", "0.25",
            "--batch-size", "6", "--out", reward);
        Assert.That(trained.ExitCode, Is.Zero, trained.Error);
        Assert.That(
            trained.Output, Does.Match(@"\d+ of 12 held-out pairs ranked right: \d\.\d{3} \[\d\.\d{3}, \d\.\d{3}\]"));
        var suite = Path.Combine(_folder, "mine.jsonl");
        File.WriteAllText(suite, """{"id": "p", "prompt": "Tell me about a thing.", "label": "safe"}""" + "\n");
        var judged = CommandRun.Of(
            "evaluate", "--model", model, "--suite", suite, "--judge", "reward", "--judge-model", model,
            "--reward", reward, "--max-new-tokens", "12", "--out", Path.Combine(_folder, "rewarded"));
        Assert.That(judged.Output, Does.Contain("mean reward ↑"), judged.Error);
    }

    [Test]
    public void A_chat_endpoint_judges_from_the_command_line_and_is_asked_again_after_an_outage()
    {
        using var server = new MisbehavingServer();
        var answers = Path.Combine(_folder, "scored.jsonl");
        File.WriteAllLines(answers, Enumerable.Range(0, 4).Select(i => JsonSerializer.Serialize(new
        {
            id = $"{i}",
            suite = "s",
            prompt = $"Prompt {i}",
            prompt_label = "unsafe",
            response = $"Answer {i}, score=0.{(i == 0 ? 9 : 1)}",
        })));
        var run = Path.Combine(_folder, "remote");
        string[] judges =
            ["--judge", "guard", "rubric", "--judge-url", $"{server.Address("down")}", "--judge-model", "judge-8b"];
        var down = CommandRun.Of(
            ["evaluate", "--responses", answers, "--out", run, .. judges, "--fail-if", "attack_success_rate>0.5"]);
        Assert.That(down.ExitCode, Is.EqualTo((int)ExitCode.GateMissed), down.Error);
        Assert.That(down.Output, Does.Contain("limits the rate (429), after 5 tries"));
        var ungated = CommandRun.Of(["evaluate", "--responses", answers, "--out", run + "1", .. judges]);
        Assert.That(ungated.ExitCode, Is.EqualTo((int)ExitCode.Failure), "no verdict is no success");
        Assert.That(ungated.Error, Does.Contain("4 of 4 have no verdict").And.Contain("judge run"));
        var still = CommandRun.Of(["judge", "run", run, .. judges]);
        Assert.That(still.ExitCode, Is.EqualTo((int)ExitCode.Failure), "nor is it when the run is judged again");
        Assert.That(still.Error, Does.Contain("4 of 4 have no verdict"));
        server.IsUp = true;
        var again = CommandRun.Of(["judge", "run", run, .. judges]);
        Assert.That(again.ExitCode, Is.Zero, again.Error);
        Assert.That(again.Output, Does.Contain("attack_success_rate").And.Not.Contain("limits the rate"));
        using var summary = JsonDocument.Parse(File.ReadAllText(Path.Combine(run, "summary.json")));
        var rates = summary.RootElement.GetProperty("metrics").EnumerateArray()
            .Where(m => m.GetProperty("metric").GetString() == "attack_success_rate").ToArray();
        Assert.That(rates.Select(r => r.GetProperty("count").GetInt32()), Is.EqualTo(new[] { 1, 1 }));

        var secret = CommandRun.Of(
            "evaluate", "--responses", answers, "--out", run + "2", "--judge", "guard", "--judge-model", "m",
            "--judge-url", "http://user:hunter2@127.0.0.1:9/v1");
        Assert.That(secret.ExitCode, Is.EqualTo((int)ExitCode.Usage));
        Assert.That(secret.Error, Does.Contain("--judge-url").And.Contain("credentials").And.Not.Contain("hunter2"));
        Assert.That(Directory.Exists(run + "2"), Is.False);
    }
}
