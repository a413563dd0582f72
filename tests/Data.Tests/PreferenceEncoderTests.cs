using SafeLlama.Common;

namespace SafeLlama.Data.Tests;

public sealed class PreferenceEncoderTests
{
    private const int Bos = CharacterTokenizer.Bos;
    private const int Eos = CharacterTokenizer.Eos;

    [Test]
    public void Both_halves_of_a_pair_are_one_example_and_do_not_see_each_other()
    {
        var pair = Encode(Pair("ab", "x", "yz")).Rows.Single().Single();
        var packed = PackedBatch.Of(pair);
        Assert.Multiple(() =>
        {
            Assert.That(packed.Tokens, Is.EqualTo([Bos, 'a', 'b', 'x', Eos, Bos, 'a', 'b', 'y', 'z', Eos]));
            Assert.That(packed.Targets, Is.EqualTo([-1, -1, 'x', Eos, -1, -1, -1, 'y', 'z', Eos, -1]));
            Assert.That(packed.Positions, Is.EqualTo([0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5]));
            Assert.That(packed.FirstKey, Is.EqualTo([0, 0, 0, 0, 0, 5, 5, 5, 5, 5, 5]));
            Assert.That(pair.Sequences, Is.EqualTo(
                [new PreferenceSequence(0, 2, 2), new PreferenceSequence(5, 7, 3)]));
            Assert.That(pair.LongestSequence, Is.EqualTo(6));
            Assert.That(packed.Examples.Single().Length, Is.EqualTo(11));
        });
    }

    [Test]
    public void Of_a_conversation_the_last_answer_alone_counts()
    {
        ConversationExample Side(string answer) => new(
            [ChatMessage.User("q"), ChatMessage.Assistant("ok"), ChatMessage.User("r"), ChatMessage.Assistant(answer)])
        {
            Id = "talk",
        };
        var pair = new PreferenceEncoder(
            new CharacterTokenizer("<|im_start|>", "<|im_end|>"), PromptTemplate.Load("chatml"),
            new(new EncodingOptions(), Unpaired: false)).EncodeAll([new(Side("good"), Side("no"))]).Rows.Single().Single();
        Assert.That(pair.Sequences[0].AnswerCount, Is.EqualTo(5), "g o o d and the end of the turn");
        Assert.That(pair.Sequences[1].AnswerCount, Is.EqualTo(3));
        Assert.That(pair.TargetCount, Is.EqualTo(8), "the shared answer is prompt");
    }

    [Test]
    public void With_inputs_the_prompt_of_the_wanted_answer_alone_is_learned()
    {
        var pair = Encode(Pair("ab", "x", "yz"), new EncodingOptions { TrainOnInputs = true }).Rows.Single().Single();
        Assert.That(pair.Targets, Is.EqualTo(['a', 'b', 'x', Eos, -1, -1, -1, 'y', 'z', Eos, -1]));
        Assert.That(pair.Sequences[0], Is.EqualTo(new PreferenceSequence(0, 2, 2)));
    }

    [Test]
    public void Long_sequences_are_cut_trimmed_or_left_out_and_told()
    {
        var row = Pair("abcdef", "x", "yz1");
        var limits = new EncodingOptions { MaxLength = 9 };
        var (rows, cut) = Encode(row, limits);
        Assert.That(rows.Single().Single().Tokens[9..], Is.EqualTo([Bos, 'a', 'b', 'c', 'd', 'e', 'f', 'y', 'z']));
        Assert.That(cut.Truncated, Is.EqualTo(["row"]));

        (rows, var trimmed) = Encode(row, limits with { Truncation = Truncation.TrimPrompt });
        Assert.That(
            rows.Single().Single().Tokens,
            Is.EqualTo([Bos, 'a', 'b', 'c', 'd', 'x', Eos, Bos, 'a', 'b', 'c', 'd', 'y', 'z', '1', Eos]),
            "both sides keep one prompt");
        Assert.That(trimmed.PromptTrimmed, Is.EqualTo(["row"]));

        var dropped = Assert.Throws<SafeLlamaException>(
            () => Encode(row, limits with { Truncation = Truncation.Drop }))!;
        Assert.That(dropped.Message, Does.Contain("1 row left out, longer"));
        var masked = Assert.Throws<SafeLlamaException>(() => Encode(row, limits with { MaxLength = 7 }))!;
        Assert.That(masked.Message, Does.Contain("1 row left out, nothing in them would be learned"));
        var alike = Assert.Throws<SafeLlamaException>(
            () => Encode(Pair("ab", "same end", "same tail"), limits with { MaxLength = 8 }))!;
        Assert.That(alike.Message, Does.Contain("1 row left out, their answers are the same once they are cut"));
    }

    [Test]
    public void Unpaired_answers_stand_alone_and_a_labeled_one_is_no_pair()
    {
        var single = new PreferenceRow(null, new CompletionExample("q", "n") { Id = "no" });
        var rows = Encode([Pair("ab", "x", "yz"), single], new EncodingOptions(), unpaired: true).Rows;
        Assert.That(
            rows.Select(row => row.Select(e => (e.Id, e.Kind)).ToArray()),
            Is.EqualTo(new[]
            {
                new[]
                {
                    ("row (chosen)", PreferenceKind.Desirable), ("row (rejected)", PreferenceKind.Undesirable),
                },
                [("no", PreferenceKind.Undesirable)],
            }));
        var refused = Assert.Throws<SafeLlamaException>(() => Encode([single], new EncodingOptions()))!;
        Assert.That(refused.Message, Does.Contain("one answer with a label").And.Contain("kto"));
    }

    [Test]
    public void A_mismatched_answer_is_that_of_another_prompt()
    {
        var examples = Encode(
            [Pair("ab", "x", "yz"), Pair("cd", "u", "v")], new EncodingOptions(), unpaired: true)
            .Rows.SelectMany(row => row).ToList();
        var with = PreferenceEncoder.WithMismatched(examples, maxLength: 5);
        Assert.That(with.Select(e => e.Mismatched!.Tokens), Is.EqualTo(new int[][]
        {
            [Bos, 'a', 'b', 'v', Eos], [Bos, 'a', 'b', 'v', Eos], [Bos, 'c', 'd', 'y', 'z'], [Bos, 'c', 'd', 'y', 'z'],
        }));
        Assert.That(with[0].Mismatched!.Targets, Is.EqualTo([-1, -1, 'v', Eos, -1]));
        Assert.That(PreferenceEncoder.WithMismatched([examples[0], examples[1]], 5),
            Has.All.Matches<PreferenceExample>(e => e!.Mismatched is null), "there is no other prompt");
    }

    private static PreferenceRow Pair(string prompt, string chosen, string rejected) => new(
        new CompletionExample(prompt, chosen) { Id = "row" }, new CompletionExample(prompt, rejected) { Id = "row" });

    private static (IReadOnlyList<IReadOnlyList<PreferenceExample>> Rows, EncodingReport Report) Encode(
        PreferenceRow row, EncodingOptions? limits = null) => Encode([row], limits ?? new());

    private static (IReadOnlyList<IReadOnlyList<PreferenceExample>> Rows, EncodingReport Report) Encode(
        IReadOnlyList<PreferenceRow> rows, EncodingOptions limits, bool unpaired = false) => new PreferenceEncoder(
            new CharacterTokenizer(), PromptTemplate.Load("plain"), new(limits, unpaired)).EncodeAll(rows);
}
