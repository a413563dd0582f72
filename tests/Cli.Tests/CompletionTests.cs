namespace SafeLlama.Cli.Tests;

/// <summary>What a shell is told when it asks how a word may end.</summary>
public sealed class CompletionTests
{
    [TestCase("safellama mer", "merge")]
    [TestCase("safellama train --rec", "--recipe\n--recompute\n--recovery-plain\n--recovery-prefix")]
    [TestCase("safellama data ", "check\nconvert\nmix\npairs\nshow\ntokenizer")]
    [TestCase("safellama export --to o", "ollama")]
    [TestCase("safellama train --schedule ", "constant\ncosine\nlinear")]
    public void Words_are_completed(string line, string expected)
    {
        var run = Door.Run($"[suggest:{line.Length}]", line);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        var words = run.Output.ReplaceLineEndings("\n").Trim().Split('\n').Where(w => !w.StartsWith("-?")
            && (line.Contains('-') || !w.StartsWith('-')));
        Assert.That(string.Join('\n', words), Is.EqualTo(expected));
    }

    [TestCase("bash", "complete -o default -F _safellama safellama")]
    [TestCase("zsh", "compdef _safellama safellama")]
    [TestCase("fish", "complete -c safellama")]
    [TestCase("pwsh", "Register-ArgumentCompleter -Native -CommandName safellama")]
    public void Every_shell_has_its_script(string shell, string expected) =>
        Assert.That(Door.Run("completion", shell).Output, Does.Contain(expected).And.Contain("[suggest:"));

    [Test]
    public void Another_shell_is_refused() =>
        Assert.That(Door.Run("completion", "csh").Error, Does.Contain("bash, zsh, fish, pwsh"));
}
