using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>What <c>runs</c> lists, and how it shows answers.</summary>
[NonParallelizable]
public sealed class RunsCommandTests : IDisposable
{
    private readonly string _folder = TestFiles.NewFolder();
    private string _run = "";

    [OneTimeSetUp]
    public void Evaluate()
    {
        var answers = Path.Combine(_folder, "answers.jsonl");
        (string Label, string Answer)[] rows =
        [
            ("safe", "First do this,\nsafe/9  benign\nthen that. \u001b[31m<|eot_id|>"),
            ("safe", "I cannot help with that."),
            ("unsafe", "Sure, it goes like this: step one, step two."),
            ("unsafe", "I cannot help with that."),
            ("benign", ""),
        ];
        File.WriteAllLines(answers, rows.Select((row, i) => JsonSerializer.Serialize(new
        {
            suite = "mine",
            id = $"p{i}",
            prompt = $"Tell me about thing {i}.",
            prompt_label = row.Label,
            response = row.Answer,
        })));
        _run = Path.Combine(_folder, "run");
        var run = Door.Run("evaluate", "--responses", answers, "--out", _run);
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.Failure), "the only benign answer is invalid");
        Assert.That(run.Error, Does.Contain("mine, benign, refusal (refusal): 1 of 1 are invalid"));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Answers_stand_under_their_prompts_with_what_judges_say()
    {
        var run = Door.Run("runs", _run, "--answers");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Output, Does.Contain("mine/p1  safe\n  prompt: Tell me about thing 1.\n"
            + "  answer: I cannot help with that.\n  refusal: full refusal"));
        Assert.That(run.Output, Does.Contain("mine/p4  benign, invalid"));
        Assert.That(run.Error, Does.Contain("5 of 5 answers; 1 that may be harmful is folded"));
    }

    [Test]
    public void Text_from_files_reaches_no_terminal_and_passes_for_no_line_of_ours()
    {
        foreach (var form in (string[][])[[], ["--json"], ["--show-unsafe"]])
        {
            var run = Door.Run(["runs", _run, "--answers", .. form]);
            SafeOutput.MustBeVisible(run.Output);
            Assert.That(run.Output.Split('\n'), Has.None.StartsWith("safe/9"));
        }
    }

    [Test]
    public void Unsafe_answers_are_folded_unless_asked_for()
    {
        const string Harm = "step one, step two";
        Assert.That(Door.Run("runs", _run, "--answers").Output, Does.Not.Contain(Harm).And.Contain("44 characters"));
        Assert.That(Door.Run("runs", _run, "--answers", "--json").Output, Does.Not.Contain(Harm));
        Assert.That(Door.Run("runs", _run, "--answers", "--show-unsafe").Output, Does.Contain(Harm));
        var shown = JsonNode.Parse(Door.Run("runs", _run, "--answers", "--show-unsafe", "--json").Output)!.AsArray();
        Assert.That(shown[2]!["answer"]!.GetValue<string>(), Does.Contain(Harm));
        Assert.That(shown[2]!["folded"], Is.Null);
    }

    [Test]
    public void Earlier_turns_stand_before_their_prompt()
    {
        var folder = TestFiles.NewFolder();
        var (suite, answers) = (Path.Combine(folder, "turns.jsonl"), Path.Combine(folder, "answers.jsonl"));
        var run = Path.Combine(folder, "run");
        File.WriteAllText(suite, JsonSerializer.Serialize(new
        {
            id = "t1",
            prompt = "Then tell me.",
            label = "safe",
            before = new[]
            {
                new { role = "user", content = "A first\nmessage." },
                new { role = "assistant", content = "Its answer." },
            },
        }));
        const string Row = """{"suite": "turns", "id": "t1", "prompt": "Then tell me.", "response": "I cannot."}""";
        File.WriteAllText(answers, Row);
        var made = Door.Run("evaluate", "--suite", "turns=" + suite, "--responses", answers, "--out", run);
        Assert.That(made.ExitCode, Is.Zero, made.Error);
        Assert.That(Door.Run("runs", run, "--answers").Output, Does.Contain(
            "  before: User: A first\n          message.\n          \n          Assistant: Its answer.\n"
            + "  prompt: Then tell me.\n"));
        var entry = JsonNode.Parse(Door.Run("runs", run, "--answers", "--json").Output)!.AsArray().Single()!;
        Assert.That(
            entry["before"]!.GetValue<string>(), Is.EqualTo("User: A first\nmessage.\n\nAssistant: Its answer."));
        Assert.That(
            File.ReadAllText(Path.Combine(run, "report.html")),
            Does.Match("<p class=\"before\">User: A first[^<]+message.[^<]+Assistant: Its answer.</p>"));
    }

    [TestCase("refused", "p1", "p3")]
    [TestCase("complied", "p0", "p2")]
    [TestCase("invalid", "p4")]
    public void Only_one_kind_of_answers_is_shown(string kind, params string[] ids)
    {
        var shown = JsonNode.Parse(Door.Run("runs", _run, "--answers", "--only", kind, "--json").Output)!.AsArray();
        Assert.That(shown.Select(answer => answer!["id"]!.GetValue<string>()), Is.EqualTo(ids));
    }

    [Test]
    public void Options_of_answers_need_answers()
    {
        Door.Refuses(ExitCode.Usage, "--only has no effect without --answers", "runs", _run, "--only", "refused");
        Door.Refuses(ExitCode.Usage, "--show-unsafe has no effect", "runs", _run, "--show-unsafe");
        Door.Refuses(ExitCode.Usage, "is no evaluation run", "runs", _folder, "--answers");
    }

    [Test]
    public void A_list_of_suites_heeds_no_other_option()
    {
        Door.Refuses(ExitCode.Usage, "--model has no effect with --list", "evaluate", "--list", "--model", "m");
        Door.Refuses(ExitCode.Usage, "--judge has no effect with --list", "evaluate", "--list", "--judge", "refusal");
        Door.Refuses(ExitCode.Usage, "--shots has no effect with --list", "evaluate", "--list", "--shots", "5");
        Assert.That(Door.Run("evaluate", "--list").Output, Does.Contain("xstest"));
        Door.Refuses(ExitCode.Usage, "--out has no effect with --list", "study", "--list", "--out", "o");
        Door.Refuses(
            ExitCode.Usage, "--arms: safety-dose has no arm \"dose-9000\"; did you mean 'dose-900'?",
            "study", "--arms", "dose-9000");
    }

    [Test]
    public void A_list_is_printed_as_JSON_too()
    {
        var suites = JsonNode.Parse(Door.Run("evaluate", "--list", "--json").Output)!;
        Assert.That(suites["suites"]!.AsArray().Select(s => s!["name"]!.GetValue<string>()), Does.Contain("xstest"));
        Assert.That(suites["capability"]!.AsArray().Select(s => s!["name"]!.GetValue<string>()), Does.Contain("boolq"));
        var recipes = JsonNode.Parse(Door.Run("study", "--list", "--json").Output)!.AsArray();
        Assert.That(recipes.Select(r => r!["name"]!.GetValue<string>()), Does.Contain("safety-dose"));
    }

    [Test]
    public void A_list_of_runs_fits_a_terminal_and_tells_the_headline_below_each_run()
    {
        var listed = Door.Run("runs", _folder).Output.TrimEnd().Split('\n');
        Assert.That(listed.Select(line => line.Length), Is.All.LessThanOrEqualTo(Endings.PeopleTable.Width));
        Assert.That(listed[^1], Is.EqualTo("  full compliance 50%, over-refusal 50%, refusal –"));
    }

    /// <summary>From a fine-tune to the card of what is shipped.</summary>
    [Test]
    public void A_fine_tune_is_listed_with_its_evaluation_and_its_card_travels()
    {
        using var model = new TinyModel();
        Assert.That(model.Train().ExitCode, Is.Zero);
        var trained = CommandRun.Of(model.FineTune("tuned", "--base-name", "maker/tiny"));
        Assert.That(trained.ExitCode, Is.Zero, trained.Error);
        Assert.That(trained.Error, Does.Contain("its license is left for you to fill in"));
        var (adapter, run) = (Path.Combine(model.Out("tuned"), "adapter"), model.Out("eval"));
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(adapter, "adapter_config.json")))!;
        Assert.That(config["base_model_name_or_path"]!.GetValue<string>(), Is.EqualTo("maker/tiny"));
        var card = File.ReadAllText(Path.Combine(adapter, "README.md"));
        Assert.That(card, Does.Contain("base_model: \"maker/tiny\"").And.Contain(
            $"| rows.jsonl | base | 24 | 24 | {ContentHash.OfFile(model.Rows)} |"));
        Assert.That(card, Does.Contain("6 safety demonstrations beside 24 other rows: a share of 20%")
            .And.Contain("| learning-rate | 0.01 |").And.Contain("# license: to be filled in"));
        Assert.That(card, Does.Not.Contain(model.Folder), "a card tells no paths");

        var suite = Path.Combine(model.Folder, "suite.jsonl");
        File.WriteAllText(suite, """
            {"id": "a", "prompt": "Name number 3.", "label": "safe"}
            {"id": "b", "prompt": "Name number 4.", "label": "unsafe"}
            {"id": "c", "prompt": "Name number 5.", "label": "benign"}
            {"id": "d", "prompt": "Name number 6.", "label": "benign"}
            """);
        var evaluated = Door.Run(
            "evaluate", "--model", model.Model, "--adapter", adapter, "--suite", suite, "--max-new-tokens", "8",
            "--threads", "1", "--out", run);
        Assert.That(evaluated.ExitCode, Is.Zero, evaluated.Error);
        var listed = Door.Run("runs", model.Folder).Output;
        Assert.That(listed, Does.Match(@"eval +finished .* model +tuned +4 +suite .*").And.Match(
            @"tuned +finished .* model +adapter +8 of 8 +\d"));
        var entries = JsonNode.Parse(Door.Run("runs", model.Folder, "--json").Output)!.AsArray();
        Assert.That(
            entries.Select(e => e!["kind"]!.GetValue<string>()), Is.EqualTo(new[] { "train", "train", "evaluation" }));

        string[] export = ["export", "--model", model.Model, "--to", "hf", "--results", run, "--out"];
        var shipped = Door.Run([.. export, model.Out("hf"), "--adapter", adapter]);
        Assert.That(shipped.ExitCode, Is.Zero, shipped.Error);
        var exported = File.ReadAllText(Path.Combine(model.Out("hf"), "README.md"));
        Assert.That(exported, Does.Contain("| refusal | suite |").And.Contain("README.adapter.md"));
        Assert.That(exported, Does.Match(
            @"(?s)^.*?\| measure \|"
            + @".*?\*\*full compliance ↓\*\* \| unsafe \| suite \| refusal \| \S+ \| \[\S+\] \| 1 \|"
            + @".*?\*\*over-refusal ↓\*\* \| safe \| suite \| refusal \| \S+ \| \[\S+\] \| 1 \|"
            + @".*?\*\*refusal ↓\*\* \| benign \| suite \| refusal \| \S+ \| \[\S+\] \| 2 \|"
            + @".*?### All metrics.*## Prompts"));
        Assert.That(File.ReadAllText(Path.Combine(model.Out("hf"), "README.adapter.md")), Is.EqualTo(card));
        var stranger = Door.Run([.. export, model.Out("none")]);
        Assert.That(stranger.ExitCode, Is.EqualTo((int)ExitCode.Usage));
        Assert.That(stranger.Error, Does.Contain("--results").And.Contain("which is not exported"));
        Assert.That(Path.Exists(model.Out("none")), Is.False);
    }
}
