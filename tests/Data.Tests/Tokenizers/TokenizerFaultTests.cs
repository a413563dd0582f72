using CsCheck;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Data.Tests.Tokenizers;

/// <summary>Files that are not what they claim to be: one clear error, whatever is in them.</summary>
[Category("Fault")]
public sealed class TokenizerFaultTests
{
    private static IEnumerable<TestCaseData> Files =>
    [
        new("sp", "tokenizer.model"),
        new("sp", "tokenizer.json"),
        new("sp", "tokenizer_config.json"),
        new("llama3", "tokenizer.model"),
        new("llama3", "tokenizer.json"),
    ];

    [TestCaseSource(nameof(Files))]
    public void A_file_with_changed_bytes_loads_or_is_refused(string model, string file)
    {
        var (folder, content) = FolderWith(model, file);
        Gen.Select(Gen.Int[0, content.Length - 1], Gen.Byte, Gen.Int[0, 4]).Array[1, 3].Sample(changes =>
        {
            File.WriteAllBytes(Path.Combine(folder, file), Changed(content, changes));
            return LoadsOrRefuses(folder);
        }, threads: 1);
    }

    [TestCaseSource(nameof(Files))]
    public void A_truncated_file_loads_or_is_refused(string model, string file)
    {
        var (folder, content) = FolderWith(model, file);
        Gen.Int[0, content.Length].Sample(length =>
        {
            File.WriteAllBytes(Path.Combine(folder, file), content[..length]);
            return LoadsOrRefuses(folder);
        }, threads: 1);
    }

    [TestCase("tokenizer.json")]
    [TestCase("tokenizer.model")]
    public void Any_bytes_are_refused(string file)
    {
        var folder = TestFiles.NewFolder();
        Gen.Byte.Array[0, 200].Sample(content =>
        {
            File.WriteAllBytes(Path.Combine(folder, file), content);
            return LoadsOrRefuses(folder);
        }, threads: 1);
    }

    [TestCase("tokenizer.json", "", "is no JSON")]
    [TestCase("tokenizer.json", "[]", "holds no JSON object")]
    [TestCase(
        "tokenizer.json",
        """{}""",
        "\"model.type\" is missing; expected \"BPE\"")]
    [TestCase(
        "tokenizer.json",
        """{"model":{"type":"Unigram"}}""",
        "\"model.type\" is \"Unigram\"; expected \"BPE\"")]
    [TestCase(
        "tokenizer.json",
        """{"model":{"type":"BPE","vocab":{}}}""",
        "the vocabulary is empty")]
    [TestCase(
        "tokenizer.json",
        """{"model":{"type":"BPE","vocab":{"a":0,"b":2000000000}}}""",
        "id 1 has no token")]
    [TestCase(
        "tokenizer.json",
        """{"model":{"type":"BPE","vocab":{"a":0,"b":0}}}""",
        "\"b\" has id 0, which is taken")]
    [TestCase(
        "tokenizer.json",
        """{"model":{"type":"BPE","vocab":{"a":0.5}}}""",
        "\"model.vocab.a\" is 0.5; expected a whole number")]
    [TestCase(
        "tokenizer.json",
        """{"model":{"type":"BPE","vocab":{"\ud800":0}}}""",
        "holds broken text")]
    [TestCase(
        "tokenizer.json",
        """{"model":{"type":"BPE","vocab":{"a":0},"byte_fallback":1}}""",
        "\"model.byte_fallback\" is 1; expected true or false")]
    [TestCase("tokenizer.model", "IQ== 0\nIg== 0\n", "tokenizer.model:2: rank 0 is given twice")]
    [TestCase("tokenizer.model", "IQ== 0\nIg== 2\n", "the ranks have gaps")]
    [TestCase("tokenizer.model", "IQ== 0\n*** 1\n", "tokenizer.model:2: the token is no Base64")]
    [TestCase("tokenizer.model", "IQ== 0\n", "byte 0x00 has no token")]
    public void The_error_names_file_and_field(string file, string content, string message)
    {
        var folder = TestFiles.NewFolder();
        File.WriteAllText(Path.Combine(folder, file), content);
        Assert.That(() => TokenizerLoader.Load(folder), Throws.TypeOf<SafeLlamaException>()
            .With.Message.Contains(message).And.Message.Contains(Path.Combine(folder, file))
            .And.Property(nameof(SafeLlamaException.Code)).EqualTo(ExitCode.InvalidData));
    }

    [Test]
    public void A_folder_without_tokenizer_says_what_is_missing()
    {
        var folder = TestFiles.NewFolder();
        Assert.Multiple(() =>
        {
            Assert.That(() => TokenizerLoader.Load(folder), Throws.TypeOf<SafeLlamaException>()
                .With.Message.Contains("neither tokenizer.json nor tokenizer.model"));
            Assert.That(() => TokenizerLoader.Load(Path.Combine(folder, "no")), Throws.TypeOf<SafeLlamaException>()
                .With.Message.Contains("no such folder"));
        });
    }

    private static (string Folder, byte[] Content) FolderWith(string model, string file)
    {
        string[] files = file == "tokenizer_config.json" ? ["tokenizer.json", file] : [file, "tokenizer_config.json"];
        var folder = Vectors.Copy(model, files);
        return (folder, File.ReadAllBytes(Path.Combine(folder, file)));
    }

    private static byte[] Changed(byte[] content, (int At, byte Value, int How)[] changes)
    {
        var bytes = content.ToList();
        foreach (var (at, value, how) in changes.Where(c => c.At < bytes.Count))
        {
            switch (how)
            {
                case 0: bytes.RemoveAt(at); break;
                case 1: bytes.Insert(at, value); break;
                case 2: bytes[at] ^= (byte)(1 << (value & 7)); break;
                default: bytes[at] = value; break;
            }
        }

        return [.. bytes];
    }

    /// <summary>
    /// True if the folder loads and encodes, or is refused as data; another exception fails the property.
    /// </summary>
    private static bool LoadsOrRefuses(string folder)
    {
        try
        {
            var tokenizer = TokenizerLoader.Load(folder);
            var ids = tokenizer.Encode("Hello  wörld, 日本 😀\n123 <s>");
            _ = tokenizer.Decode([.. ids]) + tokenizer.Hash;
            return ids.All(id => id >= 0 && id < tokenizer.VocabularySize);
        }
        catch (SafeLlamaException e)
        {
            return e.Code == ExitCode.InvalidData && !e.Message.Contains('\n', StringComparison.Ordinal);
        }
    }
}
