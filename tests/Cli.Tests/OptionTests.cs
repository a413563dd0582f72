using System.CommandLine;
using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>Every verb's options come from a record, are explained, and do something or are refused.</summary>
public sealed class OptionTests
{
    private static readonly string Nowhere = Path.Combine(Path.GetTempPath(), "safellama-nowhere");

    public static IEnumerable<string> Verbs() => Below(CommandLine.Root(), "").Where(path => path.Length > 0);

    [TestCaseSource(nameof(Verbs))]
    public void Help_for_programs_explains_every_option(string verb)
    {
        var run = Door.Run([.. verb.Split(' '), "--help", "--json"]);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        var help = JsonNode.Parse(run.Output)!;
        Assert.That(help["verb"]!.GetValue<string>(), Is.EqualTo(verb));
        foreach (var value in help["arguments"]!.AsArray().Concat(help["options"]!.AsArray()).Select(v => v!.AsObject()))
        {
            var (name, type) = (value["name"]!.GetValue<string>(), value["type"]!.GetValue<string>());
            Assert.That(value["description"]!.GetValue<string>(), Does.EndWith(".").And.Not.Contain("[default"), name);
            Assert.That(type, Is.AnyOf(
                "text", "whole number", "number", "switch", "choice", "share", "count or share"), name);
            if (type is "whole number" or "number" or "share" or "count or share")
            {
                Assert.That(value["unit"]!.GetValue<string>(), Is.Not.Empty, name);
            }
        }
    }

    [TestCase("merge", "--device", "cpu")]
    [TestCase("study", "--threads", "1")]
    [TestCase("data check", "--jaccard", "0.7")]
    [TestCase("data convert", "--share", "1")]
    [TestCase("data show", "--rows", "1-3")]
    [TestCase("data tokenizer", "--minimum-frequency", "2")]
    [TestCase("judge export", "--seed", "1")]
    [TestCase("judge train", "--validation", "0.1")]
    [TestCase("train", "--dropout", "0.05")]
    [TestCase("runs", "DIR", ".")]
    public void Help_for_programs_and_for_people_gives_the_default(string verb, string name, string expected)
    {
        var help = JsonNode.Parse(Door.Run([.. verb.Split(' '), "--help", "--json"]).Output)!;
        var value = help["arguments"]!.AsArray().Concat(help["options"]!.AsArray())
            .Single(v => v!["name"]!.GetValue<string>() == name)!;
        Assert.That(value["default"]!.GetValue<string>(), Is.EqualTo(expected));
        Assert.That(Door.Run([.. verb.Split(' '), "--help"]).Output, Does.Contain($"[default: {expected}]"));
    }

    [Test]
    public void A_line_break_in_a_name_does_not_break_the_line_of_an_error() => Door.Refuses(
        ExitCode.Usage, "no\u240asuch: not found", "generate", "--prompt", "hi",
        "--model", Path.Combine(Nowhere, "no\nsuch"));

    [Test]
    public void No_verb_makes_an_option_by_hand() => Assert.That(
        from file in Directory.EnumerateFiles(Path.Combine(TestFiles.Root, "src", "Cli"), "*.cs",
            SearchOption.AllDirectories)
        where Path.GetFileName(file) is not ("OptionSet.cs" or "SettingOption.cs")
        where !file.Contains("/obj/", StringComparison.Ordinal)
            && File.ReadAllText(file) is var text
            && (text.Contains("new Option<", StringComparison.Ordinal)
                || text.Contains("new Argument<", StringComparison.Ordinal)
                || text.Contains(": Option<", StringComparison.Ordinal))
        select file, Is.Empty);

    [TestCase("doctor --threads 2", "--threads has no effect without --deep")]
    [TestCase("doctor --kernel gemm-bf16 --deep", "--deep has no effect with --kernel")]
    [TestCase("doctor --deep --device reference --threads 2", "--threads has no effect with --device reference")]
    [TestCase("merge --model m --adapter a --out o --device cuda --threads 2",
        "--threads has no effect with --device cuda")]
    [TestCase("data check rows.jsonl --jaccard 0.5", "--jaccard has no effect without --against")]
    [TestCase("data show rows.jsonl --model m --ids --json", "--ids has no effect with --json")]
    [TestCase("data convert rows.jsonl --to question --out o.jsonl --seed 2", "--seed has no effect with --share 1")]
    [TestCase("generate --model m --out answers.jsonl", "--out has no effect in a conversation")]
    [TestCase("generate --model m --json", "--json has no effect in a conversation")]
    [TestCase("generate --model m --prompt p --resume", "--resume has no effect without --out")]
    [TestCase("generate --model m --prompt p --out safellama-new.jsonl --json", "--json has no effect with --out")]
    [TestCase("study --dry-run --open", "--open has no effect with --dry-run")]
    [TestCase("study --recipe real/paper-7b --draw test", "--draw has no effect with --recipe real/paper-7b")]
    [TestCase("train --model m --data d --dry-run --profile-steps 3", "--profile-steps has no effect with --dry-run")]
    [TestCase("judge run RUN --judge refusal --threads 2", "--threads has no effect with --judge refusal")]
    public void An_option_that_would_do_nothing_is_refused(string line, string message) =>
        Door.Refuses(ExitCode.Usage, message, line.Split(' '));

    [TestCase("study --recipe safety-doze", "did you mean 'safety-dose'?")]
    [TestCase("study --recipe anything", "those are amount, ")]
    [TestCase("evaluate --responses r.jsonl --out o --suite xstets", "did you mean 'xstest'?")]
    [TestCase("train --model m --data d --profile papr", "--profile papr: is unknown, expected repo or paper.")]
    [TestCase("study wrold", "Did you mean world?")]
    [TestCase("runs --jsn", "runs: '--jsn' is not an option; did you mean '--json'? A file of that name is ./--jsn.")]
    [TestCase("runs -json", "'-json' is not an option; did you mean '--json'?")]
    [TestCase("inspect --lens --max-new-tokens 12", "inspect: --lens has no value before '--max-new-tokens'.")]
    [TestCase("runs --frobnicate", "'--frobnicate' is not an option.")]
    [TestCase("compare a --jsn", "did you mean '--json'?")]
    [TestCase("data show --modle m", "did you mean '--model'?")]
    [TestCase("data check a.jsonl --jsn", "did you mean '--json'?")]
    [TestCase("data convert --ot o", "did you mean '--out'?")]
    [TestCase("judge run --judgee refusal", "did you mean '--judge'?")]
    [TestCase("judge export --otu o", "did you mean '--out'?")]
    [TestCase("completion --jsn", "'--jsn' is not an option")]
    [TestCase("merge --model --adaptr a --out o", "did you mean '--adapter'?")]
    [TestCase("train --model m --data d --rnak 4", "did you mean '--rank'?")]
    public void A_name_that_is_almost_known_is_answered_with_the_one_meant(string line, string message) =>
        Door.Refuses(ExitCode.Usage, message, line.Split(' '));

    [Test]
    public void A_folder_may_be_named_like_an_option()
    {
        foreach (var line in (string[][])[["runs", "--", "--jsn"], ["runs", "./--jsn"]])
        {
            Assert.That(Door.Run(line).Error, Does.Contain("--jsn").And.Not.Contain("not an option"));
        }

        Assert.That(
            Door.Run("score", "--model", Nowhere, "--text", "--jsn").Error,
            Does.Contain(Nowhere).And.Not.Contain("not an option"), "a text may be anything");
    }

    [Test]
    public void The_recipes_of_studies_are_listed_with_their_questions() => Assert.That(
        Door.Run("study", "--list").Output.TrimEnd().Split('\n'),
        Has.Length.EqualTo(Directory.EnumerateFiles(Path.Combine(TestFiles.Root, "recipes"), "*.yaml", SearchOption.AllDirectories)
            .Count(recipe => File.ReadLines(recipe).Any(line => line.StartsWith("question:", StringComparison.Ordinal))))
            .And.Some.StartsWith("safety-dose ").And.All.EndsWith("?"));

    [Test]
    public void Where_to_compute_is_refused_where_answers_are_there_and_no_judge_computes()
    {
        var folder = TestFiles.NewFolder();
        var answers = Path.Combine(folder, "answers.jsonl");
        File.WriteAllText(answers,
            """{"id": "1", "suite": "s", "prompt": "p", "prompt_label": "unsafe", "response": "I cannot."}""" + "\n");
        string[] evaluate = ["evaluate", "--responses", answers, "--out", Path.Combine(folder, "run")];
        Door.Refuses(ExitCode.Usage, "--device has no effect with --judge refusal", [.. evaluate, "--device", "cpu"]);
        Assert.That(Door.Run(evaluate).ExitCode, Is.Zero);
        Directory.Delete(folder, recursive: true);
    }

    [TestCase("score", "--text", "")]
    [TestCase("merge", "--model", " ")]
    public void A_value_that_is_empty_is_refused(string verb, string option, string value)
    {
        string[] rest = verb == "merge" ? ["--adapter", "a", "--out", Nowhere] : ["--model", Nowhere];
        Assert.That(Door.Run([verb, option, value, .. rest]).ExitCode, Is.EqualTo((int)ExitCode.Usage));
    }

    [TestCase("0.05", 0.05)]
    [TestCase("5%", 0.05)]
    [TestCase("100%", 1)]
    public void A_share_is_a_number_or_a_percentage(string text, double expected) => Assert.That(
        Share.TryParse(text, null, out var share) ? share.Value : double.NaN, Is.EqualTo(expected));

    [TestCase("1.5")]
    [TestCase("-1%")]
    [TestCase("101%")]
    [TestCase("five")]
    public void What_is_no_share_is_refused(string text) => Door.Refuses(
        ExitCode.Usage, $"--safety-share {text}: expected a share such as 0.05 or 5%",
        "data", "mix", "--data", "d", "--safety", "s", "--safety-share", text, "--out", Nowhere + ".jsonl");

    private static IEnumerable<string> Below(Command command, string path) =>
        command.Subcommands.SelectMany(c => Below(c, $"{path} {c.Name}".Trim())).Prepend(path);
}
