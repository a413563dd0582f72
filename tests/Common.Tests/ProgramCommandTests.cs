namespace SafeLlama.Common.Tests;

public sealed class ProgramCommandTests
{
    [TestCase("runs/first-1", "runs/first-1")]
    [TestCase("a b", "'a b'")]
    [TestCase("it's $x", """'it'\''s $x'""")]
    [TestCase("~x", "'~x'")]
    [TestCase("run\n", """$'run\u000a'""")]
    [TestCase("", "''")]
    [TestCase("two\nlines", """$'two\u000alines'""")]
    public void A_word_is_one_word_of_a_shell(string word, string quoted) =>
        Assert.That(ProgramCommand.Quoted(word), Is.EqualTo(quoted));

    [Test]
    public void Values_are_quoted_where_a_shell_would_take_them_apart() => Assert.That(
        ProgramCommand.Of("train --resume", ("Out", "my run"), ("MicroBatch", "8"), ("Seed", null)),
        Is.EqualTo("safellama train --resume --out 'my run' --micro-batch 8"));
}
