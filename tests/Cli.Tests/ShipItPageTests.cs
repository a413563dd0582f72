using System.CommandLine.Parsing;
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

    [GeneratedRegex(@"\\\n\s*")]
    private static partial Regex Continued();

    [GeneratedRegex(@"^safellama (.+)$", RegexOptions.Multiline)]
    private static partial Regex Commands();
}
