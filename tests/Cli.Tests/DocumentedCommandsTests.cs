using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>Every command that README, docs, examples and recipes show is one the program understands.</summary>
[Category("Docs")]
public sealed partial class DocumentedCommandsTests
{
    public static IEnumerable<TestCaseData> Pages() =>
        from pattern in new[] { "README.md", "docs/*.md", "docs/results/*.md", "recipes/*.yaml" }
        from file in Directory.GetFiles(
            Path.Combine(TestFiles.Root, Path.GetDirectoryName(pattern)!), Path.GetFileName(pattern))
        let commands = Commands(File.ReadAllText(file)).ToList()
        where commands.Count > 0
        orderby file
        select new TestCaseData(commands).SetArgDisplayNames(Path.GetRelativePath(TestFiles.Root, file));

    [TestCaseSource(nameof(Pages))]
    public void Commands_are_understood(IReadOnlyList<string> commands)
    {
        foreach (var command in commands)
        {
            var parsed = CommandLine.Root().Parse(CommandLineParser.SplitCommandLine(command).ToArray());
            Assert.That(parsed.Errors.Select(e => e.Message), Is.Empty, command);
        }
    }

    [Test]
    public void A_wrong_command_would_be_found() => Assert.That(
        Commands("`safellama study --sedes 3`").Select(c => CommandLine.Root().Parse(c).Errors.Count),
        Is.All.GreaterThan(0));

    /// <summary>
    /// What follows "safellama" in code spans and on code lines, lines joined where they end in a backslash.
    /// </summary>
    private static IEnumerable<string> Commands(string text)
    {
        var joined = Continued().Replace(text, " ");
        return Spans().Matches(joined).Concat(Lines().Matches(joined))
            .Select(match => match.Groups[1].Value.Split(" #")[0].Trim())
            .Where(command => command.Length > 0 && !command.Contains('…') && char.IsLetter(command[0]));
    }

    [GeneratedRegex(@"\\\n[#\s]*")]
    private static partial Regex Continued();

    [GeneratedRegex("`safellama ([^`\n]+)`")]
    private static partial Regex Spans();

    [GeneratedRegex(@"^[#\s]*safellama (.+)$", RegexOptions.Multiline)]
    private static partial Regex Lines();
}
