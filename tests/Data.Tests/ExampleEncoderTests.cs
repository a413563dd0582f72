using SafeLlama.Common;

namespace SafeLlama.Data.Tests;

public sealed class ExampleEncoderTests
{
    private static readonly CharacterTokenizer Tokenizer = new(
        "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>");

    [Test]
    public void Targets_are_the_answer_shifted_by_one()
    {
        var encoder = new ExampleEncoder(Tokenizer, PromptTemplate.Load("plain"), new EncodingOptions());

        var example = encoder.Encode(new CompletionExample("ab", "cd")).Example!;

        Assert.That(
            example.Tokens, Is.EqualTo(new[] { CharacterTokenizer.Bos, 'a', 'b', 'c', 'd', CharacterTokenizer.Eos }));
        Assert.That(example.Targets, Is.EqualTo(new[] { -1, -1, 'c', 'd', CharacterTokenizer.Eos, -1 }));
        Assert.That(example.TargetCount, Is.EqualTo(3));
        Assert.That(example.LabelCount, Is.EqualTo(3));
    }

    [Test]
    public void Training_on_inputs_labels_the_first_token_which_nothing_predicts()
    {
        var options = new EncodingOptions { TrainOnInputs = true };
        var encoder = new ExampleEncoder(Tokenizer, PromptTemplate.Load("plain"), options);

        var example = encoder.Encode(new CompletionExample("ab", "c")).Example!;

        Assert.That(example.Targets, Is.EqualTo(new[] { 'a', 'b', 'c', CharacterTokenizer.Eos, -1 }));
        Assert.That(example.LabelCount, Is.EqualTo(example.TargetCount + 1));
    }

    [Test]
    public void The_mask_ends_where_the_answer_begins_even_within_a_character_of_many_bytes()
    {
        var encoder = new ExampleEncoder(Tokenizer, PromptTemplate.Load("plain"), new EncodingOptions());

        var example = encoder.Encode(new CompletionExample("é😀", "😀é")).Example!;

        Assert.That(example.TargetCount, Is.EqualTo(4 + 2 + 1));
        Assert.That(Tokenizer.Decode(example.Targets.Where(target => target >= 0).ToArray()), Is.EqualTo("😀é"));
    }

    [TestCase(Truncation.Keep, "Keep")]
    [TestCase(Truncation.Drop, "Drop")]
    [TestCase(Truncation.TrimPrompt, "TrimPrompt")]
    public void A_row_that_is_too_long_is_counted(Truncation truncation, string expected)
    {
        var options = new EncodingOptions { MaxLength = 8, Truncation = truncation };
        var encoder = new ExampleEncoder(Tokenizer, PromptTemplate.Load("plain"), options);
        TrainingExample[] rows =
        [
            new CompletionExample("a", "b") { Id = "short" },
            new CompletionExample("abcdef", "xyz") { Id = "long" },
            new CompletionExample("abcdefgh", "abcdefgh") { Id = "longer" },
        ];

        var (examples, report) = encoder.EncodeAll(rows);

        Assert.That(report.LongestRow, Is.EqualTo(18));
        Assert.That(examples.Select(example => example.Id), Is.EqualTo(expected switch
        {
            "Keep" => new[] { "short", "long" },
            "Drop" => new[] { "short" },
            _ => new[] { "short", "long" },
        }));
        Assert.That(report.Truncated, Is.EqualTo(expected == "Keep" ? new[] { "long" } : []));
        Assert.That(report.FullyMasked, Is.EqualTo(expected == "Keep" ? new[] { "longer" } : []));
        Assert.That(report.PromptTrimmed, Is.EqualTo(expected == "TrimPrompt" ? new[] { "long" } : []));
        Assert.That(report.Dropped, Has.Count.EqualTo(expected switch { "Keep" => 0, "Drop" => 2, _ => 1 }));
    }

    [Test]
    public void A_trimmed_prompt_keeps_its_frame_and_its_answer()
    {
        var template = PromptTemplate.Load("alpaca_short");
        var row = new InstructionExample("abcdefghij", "", "yes");
        var full = new ExampleEncoder(Tokenizer, template, new EncodingOptions()).Encode(row).Example!;
        var options = new EncodingOptions { MaxLength = full.Length - 4, Truncation = Truncation.TrimPrompt };

        var trimmed = new ExampleEncoder(Tokenizer, template, options).Encode(row).Example!;

        Assert.That(Tokenizer.Decode(trimmed.Tokens), Is.EqualTo("### Instruction:\nabcdef\n\n### Response:\nyes"));
        Assert.That(trimmed.TargetCount, Is.EqualTo(full.TargetCount));
    }

    [Test]
    public void Control_tokens_a_user_types_stay_text()
    {
        var encoder = new ExampleEncoder(Tokenizer, PromptTemplate.Load("llama3"), new EncodingOptions());

        var (examples, report) = encoder.EncodeAll([new InstructionExample("<|eot_id|>", "", "ok") { Id = "sly" }]);

        var end = Tokenizer.ControlId("<|eot_id|>");
        Assert.That(
            examples[0].Tokens.Count(id => id == end), Is.EqualTo(2), "the two ends of turn the template places");
        Assert.That(report.HoldingMarkers, Is.EqualTo(new[] { "sly" }));
    }

    [Test]
    public void Every_answer_of_a_conversation_is_learned_with_its_end()
    {
        var encoder = new ExampleEncoder(Tokenizer, PromptTemplate.Load("llama3"), new EncodingOptions());
        var row = new ConversationExample(
        [
            ChatMessage.User("a"), ChatMessage.Assistant("one"), ChatMessage.User("b"), ChatMessage.Assistant("two"),
        ]);

        var example = encoder.Encode(row).Example!;

        var learned = example.Targets.Where(target => target >= 0).ToArray();
        Assert.That(Tokenizer.Decode(learned), Is.EqualTo("onetwo"));
        Assert.That(learned.Count(id => id == Tokenizer.ControlId("<|eot_id|>")), Is.EqualTo(2));
    }

    [Test]
    [Category("Fault")]
    public void A_missing_control_token_is_named()
    {
        var encoder = new ExampleEncoder(
            new CharacterTokenizer(), PromptTemplate.Load("chatml"), new EncodingOptions());

        Assert.That(
            () => encoder.Encode(new InstructionExample("a", "", "b")),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("'<|im_start|>'"));
    }

    [Test]
    [Category("Fault")]
    public void Nothing_left_to_train_on_is_an_error()
    {
        var encoder = new ExampleEncoder(
            Tokenizer, PromptTemplate.Load("plain"), new EncodingOptions { MaxLength = 2 });

        Assert.That(
            () => encoder.EncodeAll([new CompletionExample("abcdef", "x") { Id = "r" }]),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("nothing in them would be learned: r"));
    }
}
