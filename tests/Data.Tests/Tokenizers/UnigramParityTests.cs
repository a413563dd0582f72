using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Data.Tests.Tokenizers;

/// <summary>DeBERTa's tokenizer against sentencepiece and transformers.</summary>
[Category("Parity")]
public sealed class UnigramParityTests
{
    private const string File = "unigram_vectors.json";

    private static readonly string[] Special = ["[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]"];

    private static IEnumerable<TestCaseData> Sets => Vectors.Cases(File, "sets");

    private static IEnumerable<TestCaseData> Texts => Vectors.File(File).GetProperty("sets").EnumerateArray()
        .SelectMany(set => set.GetProperty("vectors").EnumerateArray().Select((vector, i) =>
            new TestCaseData(set, vector).SetArgDisplayNames($"{set.GetProperty("name").GetString()}[{i}]")));

    [TestCaseSource(nameof(Sets))]
    public void The_file_says_what_the_model_says(JsonElement set)
    {
        var tokenizer = Load(set);
        set.MustAgree(
            ("name", _ => { }
        ),
            ("model", _ => { }
        ),
            ("spm_size", v => Assert.That(tokenizer.PieceCount, Is.EqualTo(v.GetInt32()))),
            ("pad_id", v => Assert.That(tokenizer.PadId, Is.EqualTo(v.GetInt32()))),
            ("cls_id", v => Assert.That(tokenizer.ClassId, Is.EqualTo(v.GetInt32()))),
            ("sep_id", v => Assert.That(tokenizer.SeparatorId, Is.EqualTo(v.GetInt32()))),
            ("unk_id", v => Assert.That(tokenizer.UnknownId, Is.EqualTo(v.GetInt32()))),
            ("mask_id", v => Assert.That(tokenizer.MaskId, Is.EqualTo(v.GetInt32()))),
            ("byte_fallback", v => Assert.That(tokenizer.WritesBytes, Is.EqualTo(v.GetBoolean()))),
            ("own_viterbi_differs", v => Assert.That(v.GetInt32(), Is.Zero, "scores decide, not their rounding")),
            ("vectors", v => Assert.That(v.GetArrayLength(), Is.GreaterThan(0))));
    }

    [TestCaseSource(nameof(Texts))]
    public void A_text_has_the_reference_ids(JsonElement set, JsonElement vector)
    {
        var tokenizer = Load(set);
        var text = vector.GetProperty("text").GetString()!;
        var checks = new Dictionary<string, Action<JsonElement>>
        {
            ["text"] = _ => { }
            ,
            ["ids"] = v => Assert.That(tokenizer.EncodeInput(text, int.MaxValue).Ids, Is.EqualTo(v.Ids())),
            ["pieces"] = v => Assert.That(
                tokenizer.Encode(text), Is.EqualTo(v.Texts().Select(p => tokenizer.Find(p) ?? tokenizer.UnknownId))),
            ["hf_slow_ids_max12"] = v =>
            {
                var (ids, leftOut) = tokenizer.EncodeInput(text, 12);
                Assert.That(ids, Is.EqualTo(v.Ids()));
                Assert.That(leftOut, Is.EqualTo(tokenizer.Encode(text).Length - 10));
            }
            ,
            // transformers finds its control tokens in the text first; here they stay text.
            ["hf_slow_ids"] = _ => Assert.That(Special.Any(text.Contains), Is.True),
        };
        vector.MustAgree([.. vector.EnumerateObject().Select(p => (p.Name, checks[p.Name]))]);
    }

    [Test]
    public void Control_tokens_in_a_text_stay_text()
    {
        var tokenizer = Load(Vectors.File(File).GetProperty("sets")[0]);
        var ids = tokenizer.Encode("a [SEP] b [CLS] [PAD] [MASK]");
        Assert.That(
            ids, Has.None.AnyOf(tokenizer.SeparatorId, tokenizer.ClassId, tokenizer.PadId, tokenizer.MaskId));
    }

    [Test]
    public void A_pair_loses_the_end_of_its_longer_text()
    {
        var tokenizer = Load(Vectors.File(File).GetProperty("sets")[0]);
        var (first, second) = (tokenizer.Encode("the score is safe"), tokenizer.Encode("safe"));
        var (ids, leftOut) = tokenizer.EncodePair("the score is safe", "safe", first.Length + second.Length + 1);
        Assert.That(leftOut, Is.EqualTo(2));
        Assert.That(ids, Is.EqualTo((int[])
            [tokenizer.ClassId, .. first[..^2], tokenizer.SeparatorId, .. second, tokenizer.SeparatorId]));
    }

    [Test]
    public void A_model_of_another_kind_is_refused_by_name()
    {
        var folder = TestFiles.NewFolder();
        System.IO.File.Copy(
            Path.Combine(Vectors.Model("sp"), "tokenizer.model"), Path.Combine(folder, UnigramTokenizer.FileName));
        Assert.That(
            () => UnigramTokenizer.Load(folder),
            Throws.InstanceOf<SafeLlamaException>().With.Message.Contains("model_type is 2, expected 1 (Unigram)"));
    }

    private static UnigramTokenizer Load(JsonElement set) => UnigramTokenizer.Load(
        Path.Combine(TestFiles.Reference, Path.GetDirectoryName(set.GetProperty("model").GetString()!)!));
}
