using System.Text.Json.Nodes;
using SafeLlama.Common;

namespace SafeLlama.Data.Tests.Tokenizers;

public sealed class TokenizerLoaderTests
{
    [Test]
    public void The_file_that_holds_everything_comes_first() => Assert.That(
        TokenizerLoader.Load(Vectors.Model("llama3")).Hash,
        Is.EqualTo(TokenizerLoader.Load(Vectors.Copy("llama3", "tokenizer.json", "tokenizer_config.json")).Hash));

    [Test]
    public void Both_files_of_one_tokenizer_encode_alike()
    {
        foreach (var (first, second) in new[] { ("sp model", "sp json"), ("llama3 json", "llama3 tiktoken") })
        {
            var (a, b) = (AllTokenizers.Get(first), AllTokenizers.Get(second));
            CsCheck.Check.Sample(CsCheck.Gen.String, text => a.Encode(text).SequenceEqual(b.Encode(text)));
        }
    }

    [Test]
    public void Ends_are_found_without_configuration()
    {
        var model = TokenizerLoader.Load(Vectors.Copy("sp", "tokenizer.model"));
        var json = TokenizerLoader.Load(Vectors.Copy("llama3", "tokenizer.json"));
        Assert.Multiple(() =>
        {
            Assert.That((model.BosId, model.EosId), Is.EqualTo(((int?)1, 2)));
            Assert.That((json.BosId, json.EosId), Is.EqualTo(((int?)758, 759)), "begin_of_text and end_of_text");
        });
    }

    [TestCase("""{"eos_token": "<|nothing|>"}""", "\"eos_token\" is \"<|nothing|>\", which is no control token")]
    [TestCase("""{"eos_token": 7}""", "\"eos_token.content\" is missing; expected a string")]
    [TestCase(
        """{"added_tokens_decoder": {"1": {"content": "<x>"}}}""",
        "id 1 is \"<s>\" in the vocabulary and \"<x>\"")]
    [TestCase("""{"added_tokens_decoder": {"90000": {"content": "<x>"}}}""", "id 720 has no token, yet id 90000 has")]
    public void A_configuration_for_another_model_is_refused(string config, string message)
    {
        var folder = Vectors.Copy("sp", "tokenizer.model");
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), config);
        Assert.That(
            () => TokenizerLoader.Load(folder),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains(message));
    }

    [Test]
    public void Special_tokens_added_after_training_are_placed_by_id_and_others_found_in_text()
    {
        var folder = Vectors.Copy("sp", "tokenizer.model");
        File.WriteAllText(
            Path.Combine(folder, "tokenizer_config.json"),
            """
            {
              "eos_token": {"content": "<|im_end|>"},
              "add_bos_token": false,
              "added_tokens_decoder": {
                "720": {"content": "<|im_end|>", "special": true},
                "721": {"content": "<think>", "special": false}
              }
            }
            """);
        var tokenizer = TokenizerLoader.Load(folder);
        Assert.Multiple(() =>
        {
            Assert.That((tokenizer.BosId, tokenizer.EosId), Is.EqualTo(((int?)null, 720)));
            Assert.That(tokenizer.Encode("<|im_end|>"), Has.None.GreaterThanOrEqualTo(720));
            Assert.That(tokenizer.Encode("<think>"), Is.EqualTo(new[] { 721 }));
            Assert.That(tokenizer.Decode([720, 721]), Is.EqualTo("<think>"));
            Assert.That(tokenizer.Decode([720, 721], keepControl: true), Is.EqualTo("<|im_end|><think>"));
        });
    }

    [Test]
    public void The_original_llama_3_file_gets_256_control_tokens_unless_the_model_has_fewer_rows()
    {
        var folder = Vectors.Copy("llama3", "tokenizer.model");
        var full = TokenizerLoader.Load(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), """{"vocab_size": 768}""");
        var small = TokenizerLoader.Load(folder);
        Assert.Multiple(() =>
        {
            Assert.That(full.VocabularySize, Is.EqualTo(758 + 256));
            Assert.That(full.ControlId("<|start_header_id|>"), Is.EqualTo(758 + 6));
            Assert.That(full.ControlId("<|eot_id|>"), Is.EqualTo(758 + 9), "128009 of Meta's file");
            Assert.That(full.ControlId("<|reserved_special_token_2|>"), Is.EqualTo(769));
            Assert.That(full.ControlId("<|reserved_special_token_246|>"), Is.EqualTo(1013));
            Assert.That(small.VocabularySize, Is.EqualTo(768));
        });
    }

    [Test]
    public void Metaspace_gives_a_space_only_where_there_is_none()
    {
        var file = Path.Combine(Vectors.Model("sp"), "tokenizer.json");
        var json = JsonNode.Parse(File.ReadAllText(file))!;
        json["normalizer"] = null;
        json["pre_tokenizer"] = JsonNode.Parse(
            """{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": false}""");
        var folder = Vectors.Copy("sp", "tokenizer_config.json");
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), json.ToJsonString());
        var (metaspace, always) = (TokenizerLoader.Load(folder), TokenizerLoader.Load(Vectors.Model("sp")));
        Assert.Multiple(() =>
        {
            Assert.That(metaspace.Encode("Hello  world"), Is.EqualTo(always.Encode("Hello  world")));
            Assert.That(metaspace.Encode(" Hello"), Is.EqualTo(always.Encode("Hello")));
        });
    }

    [TestCase("""{"type": "NFKC"}""", "\"normalizer.type\" is \"NFKC\"; expected Prepend or Replace")]
    [TestCase("""{"type": "Sequence", "normalizers": [{"type": "Lowercase"}]}""", "normalizer.normalizers[0].type")]
    public void What_no_llama_asks_for_is_refused_by_name(string normalizer, string message)
    {
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(Vectors.Model("sp"), "tokenizer.json")))!;
        json["normalizer"] = JsonNode.Parse(normalizer);
        var folder = Vectors.Copy("sp", "tokenizer_config.json");
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), json.ToJsonString());
        Assert.That(
            () => TokenizerLoader.Load(folder),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains(message));
    }
}
