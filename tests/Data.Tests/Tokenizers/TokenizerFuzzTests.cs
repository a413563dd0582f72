using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Data.Tests.Tokenizers;

/// <summary>
/// Files changed at random: one clear line, or the ids of a second reading; never another exception, never other ids
/// without a word.
/// </summary>
[Category("Fault")]
public sealed class TokenizerFuzzTests
{
    private static readonly int Files = SlowAttribute.On ? 6_000 : 1_500;
    private static readonly int Configs = SlowAttribute.On ? 2_000 : 500;
    private const int Generations = 1_000;

    private static readonly string[] Texts =
    [
        "Hello the  house, 2024 (12)", " <think>a the lo</think> <x> ", "  lead\n\n hello", "日本 é he'll",
        "<s>he</s><unk><|eot|>", "the<0x41>▁he",
    ];

    private static readonly string[] Merges =
    [
        "h e", "l l", "he ll", "hell o", "t he", "o u", "Ġ t", "Ġ he", "Ġt he", "Ġ h", "s e", "ou se", "Ġh ouse", "2 0",
        "1 2",
    ];

    [TestCase(true)]
    [TestCase(false)]
    public void A_changed_tokenizer_json_is_refused_or_read_as_a_second_reading_reads_it(bool bytes)
    {
        var (folder, original, config) = (TestFiles.NewFolder(), Tokenizer(bytes), Config());
        var accepted = 0;
        for (var i = 0; i < Files / 2; i++)
        {
            accepted += Agree(folder, new Mutations(i).Of(original), config, $"file {i}") ? 1 : 0;
        }

        TestContext.Out.WriteLine($"{accepted} accepted");
        Assert.That(accepted, Is.GreaterThan(Files / 20), "too few were accepted to say anything");
    }

    [TestCase(true)]
    [TestCase(false)]
    public void So_is_a_changed_tokenizer_config_json(bool bytes)
    {
        var (folder, original, config) = (TestFiles.NewFolder(), Tokenizer(bytes), Config());
        var accepted = 0;
        for (var i = 0; i < Configs / 2; i++)
        {
            accepted += Agree(folder, original, new Mutations(i).Of(config), $"config {i}") ? 1 : 0;
        }

        Assert.That(accepted, Is.GreaterThan(Configs / 20), "too few were accepted to say anything");
    }

    [Test]
    public void A_changed_generation_config_json_is_refused_or_read()
    {
        var folder = TestFiles.NewFolder();
        var path = Path.Combine(folder, "generation_config.json");
        var original = JsonNode.Parse(
            """{"eos_token_id": [1, 2], "do_sample": true, "temperature": 0.6, "top_p": 0.9}""")!.AsObject();
        var accepted = 0;
        for (var i = 0; i < Generations; i++)
        {
            var changed = new Mutations(i).Of(original);
            File.WriteAllText(path, changed.ToJsonString());
            if (Refused(() => GenerationDefaults.Read(folder), $"generation {i}") is { } read)
            {
                accepted++;
                int[] eos = changed["eos_token_id"] switch
                {
                    JsonArray list => [.. list.Select(id => id!.GetValue<int>())],
                    JsonValue one => [one.GetValue<int>()],
                    _ => [],
                };
                Assert.That(read.Eos, Is.EqualTo(eos), changed.ToJsonString());
            }
        }

        Assert.That(accepted, Is.GreaterThan(Generations / 4));
    }

    /// <summary>
    /// True where the product accepts the files; then ids, BOS and EOS are those of the second reading.
    /// </summary>
    private static bool Agree(string folder, JsonObject file, JsonObject config, string name)
    {
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), file.ToJsonString());
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), config.ToJsonString());
        if (Refused(() => TokenizerLoader.Load(folder), name) is not { } tokenizer)
        {
            return false;
        }

        var second = new PlainReading(file, config);
        foreach (var text in Texts)
        {
            var ids = Refused(() => tokenizer.Encode(text), $"{name}: {text}");
            Assert.That(ids, Is.EqualTo(second.Encode(text)), $"{name}: {text}\n{Differences(file, config)}");
        }

        if (config["eos_token"] is { } eos)
        {
            var spelling = eos is JsonValue ? eos.GetValue<string>() : eos["content"]!.GetValue<string>();
            var expected = second.Added.FirstOrDefault(token => token.Content == spelling)?.Id
                ?? file["model"]!["vocab"]![spelling]!.GetValue<int>();
            Assert.That(tokenizer.EosId, Is.EqualTo(expected), name);
        }

        Assert.That(tokenizer.BosId, Is.EqualTo(Bos(file, config, second)), $"{name}\n{Differences(file, config)}");
        return true;
    }

    private static int? Bos(JsonObject file, JsonObject config, PlainReading second)
    {
        if (config["tokenizer_class"]?.GetValue<string>() == "LlamaTokenizer")
        {
            var named = config["bos_token"] is { } bos
                ? bos is JsonValue ? bos.GetValue<string>() : bos["content"]!.GetValue<string>()
                : "<s>";
            return !(config["add_bos_token"]?.GetValue<bool>() ?? true) ? null
                : second.Added.FirstOrDefault(token => token.Content == named)?.Id
                ?? file["model"]!["vocab"]![named]?.GetValue<int>();
        }

        var parts = file["post_processor"]?["single"]?.AsArray() ?? [];
        return parts.FirstOrDefault()?["SpecialToken"]?["id"]?.GetValue<string>() is { } first
            ? file["post_processor"]!["special_tokens"]![first]!["ids"]![0]!.GetValue<int>()
            : null;
    }

    /// <summary>What it gives; null where it is refused as data, in one line.</summary>
    private static T? Refused<T>(Func<T> read, string name)
        where T : class
    {
        try
        {
            return read();
        }
        catch (SafeLlamaException e)
        {
            Assert.That(e.Code, Is.EqualTo(ExitCode.InvalidData), name);
            Assert.That(e.Message, Does.Not.Contain('\n'), name);
            return null;
        }
    }

    private static string Differences(JsonObject file, JsonObject config)
    {
        var copy = file.DeepClone().AsObject();
        copy["model"]!["vocab"] = copy["model"]!["vocab"]!.AsObject().Count;
        return copy.ToJsonString() + "\n" + config.ToJsonString();
    }

    private static JsonObject Tokenizer(bool bytes)
    {
        var merges = Merges.Select(merge => bytes ? merge : merge.Replace('Ġ', '▁')).ToList();
        var spellings = new List<string> { "<unk>", "<s>", "</s>" };
        spellings.AddRange(Enumerable.Range(0, 256)
            .Select(b => bytes ? PlainBytes.Print((byte)b).ToString() : $"<0x{b:X2}>"));
        spellings.AddRange(bytes ? []
            : Enumerable.Range(' ', 95).Select(c => ((char)c).ToString()).Append("▁").Append("日"));
        spellings.AddRange(merges.Select(merge => merge.Replace(" ", "")));
        var vocabulary = new JsonObject();
        foreach (var spelling in spellings.Distinct())
        {
            vocabulary[spelling] = vocabulary.Count;
        }

        JsonObject Token(string content, int id, bool special) => new()
        {
            ["id"] = id,
            ["content"] = content,
            ["single_word"] = false,
            ["lstrip"] = false,
            ["rstrip"] = false,
            ["normalized"] = false,
            ["special"] = special,
        };
        var file = JsonNode.Parse(bytes ? ByteLevel : SentencePiece)!.AsObject();
        var count = vocabulary.Count;
        file["added_tokens"] = new JsonArray(
            Token("<unk>", 0, true), Token("<s>", 1, true), Token("</s>", 2, true), Token("<|eot|>", count, true),
            Token("<think>", count + 1, false), Token("</think>", count + 2, false));
        file["model"]!["vocab"] = vocabulary;
        file["model"]!["merges"] = new JsonArray([.. merges.Select(merge => (JsonNode)merge)]);
        return file;
    }

    private static JsonObject Config() => JsonNode.Parse("""
        {
          "add_bos_token": true, "bos_token": "<s>", "eos_token": {"content": "</s>"}, "pad_token": "</s>",
          "tokenizer_class": "LlamaTokenizer", "legacy": false, "additional_special_tokens": ["<|eot|>"],
          "added_tokens_decoder": {"1": {"content": "<s>", "special": true}, "2": {"content": "</s>", "special": true}}
        }
        """)!.AsObject();

    private const string PostProcessor = """
        "post_processor": {"type": "TemplateProcessing",
          "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
          "pair": [], "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
        """;

    private const string ByteLevel = "{" + PostProcessor + """
        "normalizer": null, "decoder": {"type": "ByteLevel"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
          {"type": "Split", "behavior": "Isolated", "invert": false, "pattern": {
            "Regex": "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s+"}},
          {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]},
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "fuse_unk": false, "byte_fallback": false,
          "ignore_merges": true}}
        """;

    private const string SentencePiece = "{" + PostProcessor + """
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
          {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
        "pre_tokenizer": null,
        "decoder": {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}]},
        "model": {"type": "BPE", "dropout": null, "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true,
          "ignore_merges": false}}
        """;
}
