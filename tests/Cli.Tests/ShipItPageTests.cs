using System.CommandLine.Parsing;
using System.Text.Json;
using System.Text.RegularExpressions;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>The commands of <c>docs/ship-it.md</c>, run in the page's order.</summary>
[Category("Docs")]
public sealed partial class ShipItPageTests
{
    [Test]
    public void Every_command_of_the_page_succeeds_and_writes_what_it_names()
    {
        var folder = TestFiles.NewFolder();
        Directory.CreateSymbolicLink(Path.Combine(folder, "assets"), Path.Combine(TestFiles.Root, "assets"));
        MakeAdapter(folder);
        File.WriteAllLines(
            Path.Combine(folder, "prompts.txt"),
            ["How do I bake a cake?", "Where is the cat?", "Explain the weather."]);
        var page = File.ReadAllText(Path.Combine(TestFiles.Root, "docs", "ship-it.md"));
        var commands = Commands().Matches(Continued().Replace(page, " "))
            .Select(match => match.Groups[1].Value).ToList();
        Assert.That(commands, Has.Count.GreaterThanOrEqualTo(6));
        foreach (var command in commands)
        {
            var arguments = CommandLineParser.SplitCommandLine(command).ToArray();
            var run = CommandRun.In(folder, arguments);
            Assert.That(run.ExitCode, Is.Zero, $"{command}\n{run.Error}");
            if (Array.IndexOf(arguments, "--out") is var at and >= 0)
            {
                Assert.That(Path.Exists(Path.Combine(folder, arguments[at + 1])), command);
            }
        }
    }

    /// <summary>An adapter that changes little: the page's commands need one, not a good one.</summary>
    private static void MakeAdapter(string folder)
    {
        File.WriteAllLines(Path.Combine(folder, "rows.jsonl"), Enumerable.Range(0, 8).Select(
            i => JsonSerializer.Serialize(new { instruction = $"Name number {i}.", input = "", output = $"{i}." })));
        var train = CommandRun.In(
            folder, "train", "--model", "assets/miniature", "--template", "assets/miniature/template.json", "--data",
            "rows.jsonl", "--steps", "2", "--batch-size", "4", "--micro-batch", "4", "--max-length", "64",
            "--validation", "0", "--learning-rate", "0.001", "--warmup-steps", "0", "--threads", "1", "--out", "tuned");
        Assert.That(train.ExitCode, Is.Zero, train.Error);
    }

    [GeneratedRegex(@"\\\n\s*")]
    private static partial Regex Continued();

    [GeneratedRegex(@"^safellama (.+)$", RegexOptions.Multiline)]
    private static partial Regex Commands();
}
