using System.Text;
using CsCheck;

namespace SafeLlama.Data.Tests.Tokenizers;

/// <summary>What holds for every text and every id, whatever the tokenizer.</summary>
[TestFixtureSource(typeof(AllTokenizers), nameof(AllTokenizers.Names))]
public sealed class TokenizerPropertyTests(string name)
{
    private readonly ITokenizer _tokenizer = AllTokenizers.Get(name);

    /// <summary>
    /// UTF-16 units of every kind, lone surrogates among them, without ▁, which is how a space is written.
    /// </summary>
    private static Gen<string> AnyText => Gen.Frequency(
            (4, Gen.Char[' ', '~']),
            (2, Gen.OneOf(' ', '\n', '\t', '\r', '\u00A0', '<', '|', '>', 's', '/')),
            (2, Gen.Char['\u0080', '\u2580']),
            (1, Gen.Char['\u2582', '\uFFFF']),
            (1, Gen.Char['\uD800', '\uDFFF']))
        .Array[0, 40].Select(units => new string(units));

    [Test]
    public void Encoding_and_decoding_give_the_text_back() => AnyText.Sample(text =>
        _tokenizer.Decode([.. _tokenizer.Encode(text)]) == WellFormed(text));

    [Test]
    public void No_text_becomes_a_control_token()
    {
        string[] spellings =
            ["<s>", "</s>", "<unk>", "<pad>", "<0x41>", "<|eot_id|>", "<|begin_of_text|>", "<|python_tag|>"];
        var control = spellings.Select(_tokenizer.ControlId).Where(id => id is not null).ToHashSet();
        Gen.Select(AnyText, Gen.OneOf(spellings), AnyText).Sample((before, spelling, after) =>
            !_tokenizer.Encode(before + spelling + after).Any(id => control.Contains(id))
            && _tokenizer.Decode([.. _tokenizer.Encode(spelling)]) == spelling);
    }

    [Test]
    public void A_stream_of_ids_gives_the_text_of_all_of_them() =>
        Gen.Int[0, _tokenizer.VocabularySize - 1].Array[0, 30].Sample(ids =>
        {
            var decoder = _tokenizer.StartDecoding();
            var streamed = new StringBuilder();
            foreach (var id in ids)
            {
                streamed.Append(decoder.Append(id));
            }

            return streamed.Append(decoder.Finish()).ToString() == _tokenizer.Decode(ids);
        });

    [Test]
    public void A_continuation_joins_its_prompt_however_they_are_cut() =>
        Gen.Select(AnyText, Gen.Int[0, 40]).Sample((text, cut) =>
        {
            var ids = _tokenizer.Encode(text);
            var prompt = ids.Take(cut).ToArray();
            var before = _tokenizer.Decode(prompt);
            var decoder = new ContinuationDecoder(_tokenizer, prompt);
            var after = string.Concat(ids.Skip(cut).Select(decoder.Append)) + decoder.Finish();
            var whole = _tokenizer.Decode([.. ids]);

            // A prompt that ends within a character shows U+FFFD for its bytes; the answer then shows the character.
            return before + after == whole || before.EndsWith('\uFFFD');
        });

    [Test]
    public void Every_id_is_in_the_vocabulary() => AnyText.Sample(text =>
        _tokenizer.Encode(text).All(id => id >= 0 && id < _tokenizer.VocabularySize));

    [Test]
    public void A_stream_never_shows_half_a_character()
    {
        var decoder = _tokenizer.StartDecoding();
        var parts = _tokenizer.Encode("ab 日本 😀 é").Select(decoder.Append).ToList();
        Assert.Multiple(() =>
        {
            Assert.That(parts, Has.None.Contains("\uFFFD"));
            Assert.That(string.Concat(parts) + decoder.Finish(), Is.EqualTo("ab 日本 😀 é"));
        });
    }

    [Test]
    public void An_id_that_no_token_has_is_refused() => Assert.That(
        () => _tokenizer.Decode([_tokenizer.VocabularySize]),
        Throws.TypeOf<Common.SafeLlamaException>().With.Message.Contains($"Token id {_tokenizer.VocabularySize}"));

    [Test]
    public void The_hash_is_that_of_the_content()
    {
        Assert.That(_tokenizer.Hash, Does.Match("^[0-9a-f]{64}$").And.EqualTo(AllTokenizers.Get(name).Hash));
        foreach (var other in AllTokenizers.Names.Where(other => other != name))
        {
            Assert.That(_tokenizer.Hash, Is.Not.EqualTo(AllTokenizers.Get(other).Hash), other);
        }
    }

    private static string WellFormed(string text) => string.Concat(text.EnumerateRunes());
}
