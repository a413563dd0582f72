namespace SafeLlama.Data.Tests;

public sealed class TextBlocksTests
{
    private const int Bos = CharacterTokenizer.Bos;
    private const int Eos = CharacterTokenizer.Eos;

    [Test]
    public void Blocks_hold_the_stream_and_learn_every_token_but_the_first()
    {
        var blocks = TextBlocks.Cut(
            new CharacterTokenizer(), [new TextExample("abc") { Id = "x" }, new TextExample("de") { Id = "y" }],
            maxLength: 4);

        Assert.That(
            blocks.SelectMany(block => block.Tokens),
            Is.EqualTo(new[] { Bos, 'a', 'b', 'c', Eos, Bos, 'd', 'e', Eos }.Take(8)));
        Assert.That(
            blocks.SelectMany(block => block.Targets), Is.EqualTo(new[] { 'a', 'b', 'c', Eos, Bos, 'd', 'e', Eos }));
        Assert.That(blocks.Select(block => block.Id), Is.EqualTo(new[] { "block 1 from x", "block 2 from x" }));
    }

    [Test]
    public void The_last_block_holds_what_is_left()
    {
        var blocks = TextBlocks.Cut(new CharacterTokenizer(), [new TextExample("abcd") { Id = "x" }], maxLength: 4);

        Assert.That(blocks.Select(block => block.Length), Is.EqualTo(new[] { 4, 2 }));
        Assert.That(blocks[^1].Targets, Is.EqualTo(new[] { Eos, -1 }));
    }
}
