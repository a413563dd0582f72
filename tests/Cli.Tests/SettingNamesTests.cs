using System.CommandLine;
using System.Text.RegularExpressions;
using SafeLlama.Cli.Commands;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>Libraries name settings by property; the program makes flags of them.</summary>
public sealed partial class SettingNamesTests
{
    private static readonly HashSet<string> Flags = [.. Below(CommandLine.Root()).SelectMany(c => c.Options)
        .Select(o => o.Name)];

    [Test]
    public void No_library_spells_a_flag() => Assert.That(
        from line in LibraryLines()
        where FlagInText().IsMatch(line.Text) && !StyleName().IsMatch(line.Text)
        select line.Place, Is.Empty);

    [Test]
    public void Every_setting_that_a_library_names_is_one_that_some_verb_has()
    {
        var names = (from line in LibraryLines()
                     from Match match in SettingInText().Matches(line.Text)
                     select (line.Place, Name: match.Groups[1].Value)).ToList();
        Assert.That(names, Has.Count.GreaterThan(50));
        Assert.That(names.Where(n => !Flags.Contains(FlagNames.Of(n.Name))), Is.Empty);
    }

    [Test]
    public void Every_verb_is_found_by_its_own_name()
    {
        foreach (var verb in CommandLine.Root().Subcommands)
        {
            Assert.That(CommandLine.Root(verb.Name).Subcommands.Select(c => c.Name), Is.EqualTo(new[] { verb.Name }));
        }
    }

    [Test]
    public void A_verb_offers_only_ways_out_that_it_has()
    {
        var error = SafeLlamaException.Usage(
            "`Out` x: is not empty, and nothing is overwritten.", "name another folder", "use `Resume`");
        Assert.That(error.MessageFor(FlagNames.Of(CompareCommand.Create())), Is.EqualTo(
            "--out x: is not empty, and nothing is overwritten. Name another folder."));
        Assert.That(error.MessageFor(FlagNames.Of(TrainCommand.Create())), Is.EqualTo(
            "--out x: is not empty, and nothing is overwritten. Name another folder, or use --resume."));
    }

    private static IEnumerable<Command> Below(Command command) =>
        command.Subcommands.SelectMany(Below).Prepend(command);

    private static IEnumerable<(string Place, string Text)> LibraryLines() =>
        from file in Directory.EnumerateFiles(Path.Combine(TestFiles.Root, "src"), "*.cs", SearchOption.AllDirectories)
        let name = Path.GetRelativePath(TestFiles.Root, file).Replace('\\', '/')
        where !name.StartsWith("src/Cli/", StringComparison.Ordinal)
            && !name.Contains("/obj/", StringComparison.Ordinal)
        from line in File.ReadLines(file).Select((text, i) => (text, i))
        where !line.text.TrimStart().StartsWith("//", StringComparison.Ordinal)
        select ($"{name}:{line.i + 1}", line.text);

    /// <summary>A variable of a style sheet.</summary>
    [GeneratedRegex("var\\(--|--series-|--faint:")]
    private static partial Regex StyleName();

    [GeneratedRegex("\"[^\"]*--[a-z][a-z-]+")]
    private static partial Regex FlagInText();

    /// <summary>A name in backquotes in a string, or <c>nameof</c> of one.</summary>
    [GeneratedRegex(@"\x22[^\x22]*`(?:\{nameof\((?:\w+\.)*)?([A-Z]\w*)\)?\}?`")]
    private static partial Regex SettingInText();
}
