using SafeLlama.Common;

namespace SafeLlama.Benchmarks.Tests;

public sealed class OpsTests
{
    [TestCase("--list")]
    [TestCase("*Nope*")]
    [TestCase("*RmsNorm*", "no-model")]
    public void Words_that_name_nothing_are_refused_before_anything_is_measured(params string[] words)
    {
        var fault = Assert.Throws<SafeLlamaException>(() => Require(words))!;
        Assert.That(fault.Code, Is.EqualTo(ExitCode.Usage));
        Assert.That(fault.Message, Does.StartWith($"ops {string.Join(' ', words)}: names no op"));
    }

    [TestCase]
    [TestCase("*RmsNorm*")]
    [TestCase("*RmsNorm*", "tiny")]
    public void Words_that_name_ops_are_taken(params string[] words) => Assert.DoesNotThrow(() => Require(words));

    private static void Require(string[] words) =>
        OpsCommand.RequireMatch(words, OpsCommand.Config([.. words.Skip(1)]));
}
