using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>The encoder judges as a user runs them, on the reference checkpoint.</summary>
public sealed class EncoderJudgeCommandTests
{
    private static string Model => Path.Combine(TestFiles.ShippedReference, "models", "F-deberta");

    [Test]
    public void Validate_measures_it_on_labeled_answers_and_one_long_answer_stops_nothing()
    {
        var labels = Labels(TestFiles.NewFolder());
        var run = CommandRun.Of(
            "judge", "validate", "--judge", "harmfulness", "--judge-model", Model, "--labels", labels, "--truth",
            "label", "--threads", "1");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.Multiple(() =>
        {
            Assert.That(run.Output, Does.Contain("harmfulness (").And.Contain("12 compared, 0 unscored"));
            Assert.That(run.Output, Does.Contain("lower is safer").And.Contain("about 0–4, may fall below 0"));
            Assert.That(run.Error, Does.Contain("1 of 12 texts were longer than 512 tokens"));
        });
    }

    [Test]
    public void A_run_gets_scores_with_their_direction_and_two_runs_a_win_rate()
    {
        var folder = TestFiles.NewFolder();
        foreach (var (name, answer) in new[] { ("a", "Mix the flour and water."), ("b", "I can't help with that.") })
        {
            // Prompts of one suite: the file's name is the suite's.
            var answers = Path.Combine(
                Directory.CreateDirectory(Path.Combine(folder, "of-" + name)).FullName, "asked.jsonl");
            File.WriteAllLines(answers, Enumerable.Range(0, 6).Select(i => JsonSerializer.Serialize(new
            {
                id = $"p{i}",
                prompt = $"Tell me about thing number {i}.",
                response = i == 0 ? "The same." : answer,
            })));
            var run = CommandRun.Of(
                "evaluate", "--responses", answers, "--out", Path.Combine(folder, name), "--judge", "harmfulness",
                "preference", "--judge-model", Model, "--threads", "1");
            Assert.That(run.ExitCode, Is.Zero, run.Error);
            var summary = File.ReadAllText(Path.Combine(folder, name, "summary.md"));
            Assert.That(summary, Does.Contain("lower is safer").And.Contain("higher is better"));
        }

        var compared = CommandRun.Of("compare", Path.Combine(folder, "a"), Path.Combine(folder, "b"), "--json");
        Assert.That(compared.ExitCode, Is.Zero, compared.Error);
        Assert.That(compared.Output, Does.Contain("win_rate"));
        var rate = Find(JsonNode.Parse(compared.Output)!, "win_rate");

        // Five prompts go one way, and one ties: it counts half.
        Assert.That(rate, Is.EqualTo(5.5 / 6).Within(1e-9).Or.EqualTo(0.5 / 6).Within(1e-9));
    }

    [Test]
    public void Another_encoder_is_refused_by_name()
    {
        var folder = TestFiles.NewFolder();
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(Model, "config.json")))!;
        config["model_type"] = "roberta";
        File.WriteAllText(Path.Combine(folder, "config.json"), config.ToJsonString());
        var run = CommandRun.Of(
            "judge", "validate", "--judge", "harmfulness", "--judge-model", folder, "--labels", Labels(folder));
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.InvalidData));
        Assert.That(run.Error, Does.Contain("\"model_type\" is \"roberta\", expected \"deberta-v2\""));
    }

    [Test]
    public void A_trained_adapter_and_head_judge_on_their_base()
    {
        var folder = TestFiles.NewFolder();
        var (ratings, trained) = (Path.Combine(folder, "ratings.jsonl"), Path.Combine(folder, "trained"));
        File.WriteAllLines(ratings, Enumerable.Range(0, 60).Select(i => JsonSerializer.Serialize(new
        {
            prompt = $"How do I bake {i} loaves?",
            response = i % 2 == 0 ? "Mix the flour and water." : "I'm sorry, but I can't help with that.",
            rating = i % 2 == 0 ? 3.5 : 0.1,
        })));
        string[] train = ["judge", "train", "--model", Model, "--backbone", "encoder", "--ratings", ratings, "--out",
            trained, "--epochs", "6", "--learning-rate", "1e-2", "--threads", "1"];
        var run = CommandRun.Of(train);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Output, Does.Contain("mean squared error over 6 held-out ratings"));
        Assert.That(run.Error, Does.Match(@"MiB planned for batches of up to \d+ tokens"));
        Assert.That(
            Directory.GetFiles(trained).Select(Path.GetFileName),
            Is.EquivalentTo(new[]
            {
                "adapter_config.json", "adapter_model.safetensors", "reward.json", "score.safetensors",
            }));

        var labels = Path.Combine(folder, "labels.jsonl");
        File.WriteAllLines(labels, Enumerable.Range(0, 12).Select(i => JsonSerializer.Serialize(new
        {
            prompt = $"How do I bake {i + 100} loaves?",
            response = i % 2 == 0 ? "Mix the flour and water." : "I'm sorry, but I can't help with that.",
            label = i % 2 == 0 ? "unsafe" : "safe",
        })));
        var judged = CommandRun.Of(
            "judge", "validate", "--judge", "harmfulness", "--judge-model", Model, "--reward", trained, "--labels",
            labels, "--threads", "1");
        Assert.That(judged.ExitCode, Is.Zero, judged.Error);
        Assert.That(judged.Output, Does.Match(@"kappa +1\b"), judged.Output);
    }

    [Test]
    public void An_encoder_learns_a_preference_from_pairs_and_judges_preference_alone()
    {
        var folder = TestFiles.NewFolder();
        var (pairs, trained) = (Path.Combine(folder, "pairs.jsonl"), Path.Combine(folder, "trained"));
        File.WriteAllLines(pairs, Enumerable.Range(0, 40).Select(i => JsonSerializer.Serialize(new
        {
            chosen = $"\n\nHuman: How do I bake {i} loaves?\n\nAssistant: Mix the flour and water.",
            rejected = $"\n\nHuman: How do I bake {i} loaves?\n\nAssistant: I'm sorry, but I can't help with that.",
        })));
        var run = CommandRun.Of(
            "judge", "train", "--model", Model, "--backbone", "encoder", "--pairs", pairs, "--out", trained, "--epochs",
            "6", "--learning-rate", "1e-2", "--threads", "1");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Output, Does.Contain("4 of 4 held-out pairs ranked right"));
        var judged = CommandRun.Of(
            "judge", "validate", "--judge", "harmfulness", "--judge-model", Model, "--reward", trained, "--labels",
            Labels(folder));
        Assert.That(judged.ExitCode, Is.EqualTo((int)ExitCode.Usage));
        Assert.That(judged.Error, Does.Contain("learned from pairs, expected ratings"));
    }

    [TestCase("num_hidden_layers", 2147483647, "deberta.encoder.layer.3.attention.self.query_proj.weight' is missing")]
    [TestCase("position_buckets", 1073741824, "expected at most 1048576")]
    public void A_config_that_promises_far_too_much_is_refused_at_once(string field, int value, string message)
    {
        var folder = TestFiles.NewFolder();
        foreach (var file in Directory.GetFiles(Model))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(Model, "config.json")))!;
        config[field] = value;
        File.WriteAllText(Path.Combine(folder, "config.json"), config.ToJsonString());
        var run = CommandRun.Of(
            "judge", "validate", "--judge", "harmfulness", "--judge-model", folder, "--labels", Labels(folder));
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.InvalidData), run.Error);
        Assert.That(run.Error, Does.Contain(message));
    }

    [Test]
    public void Labels_of_refusals_are_told_apart_from_labels_of_harm()
    {
        var labels = Path.Combine(TestFiles.NewFolder(), "labels.csv");
        File.WriteAllText(labels, "prompt,response,label\np,Sure.,1_full_compliance\nq,No.,2_full_refusal\n");
        var run = CommandRun.Of(
            "judge", "validate", "--judge", "harmfulness", "--judge-model", Model, "--labels", labels);
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.InvalidData));
        Assert.That(run.Error, Does.Contain("tells whether answers are refused, and harmfulness tells whether they are "
            + "harmful").And.Not.Contain("unscored"));
    }

    private static string Labels(string folder)
    {
        var path = Path.Combine(folder, "labels.jsonl");
        File.WriteAllLines(path, Enumerable.Range(0, 12).Select(i => JsonSerializer.Serialize(new
        {
            prompt = $"How do I bake {i} loaves?",
            response = string.Concat(Enumerable.Repeat("Mix the flour and water. ", i == 7 ? 400 : i + 1)),
            label = i % 2 == 0 ? "unsafe" : "safe",
        })));
        return path;
    }

    private static double? Find(JsonNode node, string metric) => node switch
    {
        JsonObject o when o["metric"]?.ToString() == metric => o["candidate_value"]?.GetValue<double>(),
        JsonObject o => o.Select(p => p.Value is null ? null : Find(p.Value, metric))
            .FirstOrDefault(v => v is not null),
        JsonArray a => a.Select(v => v is null ? null : Find(v, metric)).FirstOrDefault(v => v is not null),
        _ => null,
    };
}
