namespace SafeLlama.Data.Tests;

public sealed class ExampleViewTests
{
    private static readonly CharacterTokenizer Tokenizer = new(
        "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>");

    [Test]
    public void Pieces_join_to_the_text_and_tell_what_is_learned()
    {
        var encoder = new ExampleEncoder(Tokenizer, PromptTemplate.Load("plain"), new EncodingOptions());
        var example = encoder.Encode(new CompletionExample("né ", "so")).Example!;

        var pieces = ExampleView.Pieces(Tokenizer, example);

        Assert.That(
            pieces.Select(piece => piece.Text), Is.EqualTo(new[] { "<s>", "n", "", "é", " ", "s", "o", "</s>" }));
        Assert.That(pieces.Count(piece => piece.Trained), Is.EqualTo(example.TargetCount));
        Assert.That(
            pieces.Where(piece => piece.Control).Select(piece => piece.Id),
            Is.EqualTo(new[] { CharacterTokenizer.Bos, CharacterTokenizer.Eos }));
        Assert.That(ExampleView.Spans(pieces), Is.EqualTo(new[] { ("<s>né ", false), ("so</s>", true) }));
    }

    [Test]
    public void A_labeled_first_token_shows_as_learned()
    {
        var options = new EncodingOptions { TrainOnInputs = true };
        var example = new ExampleEncoder(Tokenizer, PromptTemplate.Load("llama3"), options)
            .Encode(new InstructionExample("a", "", "b")).Example!;

        var pieces = ExampleView.Pieces(Tokenizer, example);

        Assert.That(pieces, Has.All.Matches<TokenPiece>(piece => piece!.Trained));
        Assert.That(pieces[1].Text, Is.EqualTo("<|start_header_id|>"));
    }
}
