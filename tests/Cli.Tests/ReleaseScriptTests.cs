using System.Diagnostics;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>What the scripts of <c>deploy</c> say before they do anything.</summary>
internal sealed class ReleaseScriptTests
{
    private static readonly string Script = Path.Combine(TestFiles.Root, "deploy", "release.sh");

    [SetUp]
    public void Only_where_there_is_a_shell()
    {
        if (!File.Exists("/bin/bash"))
        {
            Assert.Ignore("the script wants bash");
        }
    }

    [Test]
    public void It_is_a_script() => Assert.That(Bash("-n", Script), Is.EqualTo((0, "")));

    [TestCase("--help")]
    [TestCase("linux-x64", "win-x64")]
    public void Arguments_are_refused_before_anything_is_made(params string[] arguments)
    {
        var folder = TestFiles.NewFolder();
        var (code, error) = Bash([Script, .. arguments], ("OUT", Path.Combine(folder, "release")), ("PATH", folder));
        Assert.That(code, Is.EqualTo(2));
        Assert.That(error, Does.StartWith("usage: ").And.EndWith($"found: {string.Join(' ', arguments)}\n"));
        Assert.That(Directory.EnumerateFileSystemEntries(folder), Is.Empty);
        Directory.Delete(folder);
    }

    private static (int ExitCode, string Error) Bash(params string[] arguments) => Bash(arguments, []);

    /// <param name="arguments">The words after <c>bash</c>.</param>
    /// <param name="settings">Variables; a PATH without programs keeps a script from making anything.</param>
    private static (int ExitCode, string Error) Bash(
        string[] arguments, params (string Name, string Value)[] settings)
    {
        var start = new ProcessStartInfo("/bin/bash", arguments) { RedirectStandardError = true };
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, error);
    }
}
