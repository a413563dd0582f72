using System.IO.Compression;
using System.Text;
using CsCheck;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Data.Tests;

[Category("Fault")]
public sealed class ReaderFaultTests
{
    private static readonly string[] Endings =
        [".json", ".jsonl", ".csv", ".parquet", ".txt", ".json.gz", ".jsonl.gz", ".csv.gz", ".parquet.gz", ".txt.gz"];

    [TestCase("empty.json", "", "1: is empty.")]
    [TestCase("empty.jsonl", "\n\n", "1: holds no rows.")]
    [TestCase("empty.csv", "", "1: holds no rows.")]
    [TestCase("header.csv", "instruction,output\n", "1: holds no rows.")]
    [TestCase("empty.txt", " \n", "1: holds no rows.")]
    [TestCase("none.json", "[]", "1: holds no rows.")]
    [TestCase("text.json", "hello", "1: is not JSON:")]
    [TestCase("number.json", "12", "1: is a JSON number, expected an array of rows.")]
    [TestCase("cut.json", "[{\"instruction\": \"a\", \"output\": \"b\"},\n{\"instr", "2: is not JSON:")]
    [TestCase("cut.json", "[{\"instruction\": \"a\", \"output\": \"b\"},\n{\"instr", "Rows read before it: 1;")]
    [TestCase("tail.json", "[{\"text\": \"a\"}]\nmore", "2: is not JSON:")]
    [TestCase("twice.json", "[{\"text\": \"a\",\n\"text\": \"b\"}]",
        "2: is not JSON: the field \"text\" is given twice.")]
    [TestCase(
        "inner.jsonl",
        "{\"messages\": [{\"role\": \"user\", \"content\": \"a\", \"content\": \"b\"}, {\"role\": \"assistant\", "
        + "\"content\": \"c\"}]}",
        "messages[0].content: is given twice.")]
    [TestCase("half.jsonl", "{\"text\": \"\\ud83d\"}", "1: text: holds half of a surrogate pair")]
    [TestCase("name.jsonl", "{\"\\ud83d\": 1}", "1: is not JSON: a field's name holds half of a surrogate pair.")]
    [TestCase("two.jsonl", "{\"text\": \"a\"} {\"text\": \"b\"}", "1: is not JSON")]
    [TestCase("list.jsonl", "[1]", "1: is a JSON array, expected an object")]
    [TestCase("quote.csv", "text\n\"never closed\nmore\n", "2: a quoted field is never closed")]
    [TestCase("stray.csv", "text,b\nab\"c,d\nx,y\n", "2: a quote stands inside a field that is not quoted.")]
    [TestCase("short.csv", "instruction,output\na\nb,c\n", "2: has 1 fields, expected 2 as the header has.")]
    [TestCase("header.csv", "text,text\na,b\n", "1: text: the header names this column twice.")]
    [TestCase("torn.parquet", "PAR1 and no more", "1: is not readable as Parquet:")]
    [TestCase("columns.json", "{\"instructions\": [\"a\", \"b\"], \"tags\": [\"x\"], \"inputs\": []}",
        "1: tags: has 1 entries, expected 2")]
    [TestCase("roles.jsonl", "{\"messages\": [{\"role\": \"bot\", \"content\": \"a\"}]}",
        "the role \"bot\" is unknown")]
    [TestCase("turns.jsonl", "{\"messages\": [{\"role\": \"assistant\", \"content\": \"a\"}]}",
        "message 1 is the assistant's, expected the user's")]
    [TestCase("open.jsonl", "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}",
        "does not end with an answer of the assistant.")]
    [TestCase("part.jsonl", "{\"messages\": [{\"role\": \"user\"}]}", "messages[0].content: is missing")]
    [TestCase("ids.jsonl", "{\"id\": 7, \"text\": \"a\"}\n{\"id\": \"7\", \"text\": \"b\"}",
        "2: id: \"7\" already names the row of line 1.")]
    [TestCase("instances.jsonl", "{\"instruction\": \"a\", \"instances\": []}",
        "instances: is an empty list, expected a list of objects.")]
    public void A_broken_file_is_named_with_line_and_reason(string name, string text, string expected)
    {
        var path = Write(name, Encoding.UTF8.GetBytes(text));

        Assert.That(
            () => ExampleFile.Read(path),
            Throws.TypeOf<SafeLlamaException>()
                .With.Message.Contains(expected).And.Message.StartsWith(path)
                .And.Property(nameof(SafeLlamaException.Code)).EqualTo(ExitCode.InvalidData));
    }

    [Test]
    public void Bytes_of_another_encoding_are_named_line_by_line()
    {
        byte[] bytes =
        [
            .. "{\"text\": \"good\"}\n"u8, .. "{\"text\": \"caf"u8, 0xE9, .. "\"}\n"u8,
            .. "{\"text\": \"caf\u00e9\"}\n"u8,
            .. "{\"text\": 4}\n"u8,
        ];
        var path = Write("mixed.jsonl", bytes);

        var file = ExampleFile.Inspect(path);

        Assert.That(file.Faults.Select(fault => fault.ToString()), Is.EqualTo(new[]
        {
            $"{path}:2: byte 0xE9 at column 14 is not UTF-8 (Latin-1 or Windows-1252?); the whole file must be UTF-8.",
            $"{path}:4: text: is the number 4, expected text.",
        }));
    }

    [TestCase("utf-16", "UTF-16 (by its byte order mark)")]
    [TestCase("utf-16BE", "UTF-16 (by its byte order mark)")]
    [TestCase("utf-32", "UTF-32 (by its byte order mark)")]
    public void Other_encodings_are_named(string encoding, string expected)
    {
        var coder = Encoding.GetEncoding(encoding);
        var path = Write("rows.json", [.. coder.GetPreamble(), .. coder.GetBytes("[{\"text\": \"a\"}]")]);

        Assert.That(() => ExampleFile.Read(path), Throws.TypeOf<SafeLlamaException>().With.Message.Contains(expected));
    }

    [Test]
    public void Utf16_without_a_mark_is_suspected()
    {
        var path = Write("rows.csv", Encoding.Unicode.GetBytes("text\nhello\n"));

        Assert.That(
            () => ExampleFile.Read(path),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("UTF-16 without a byte order mark"));
    }

    [TestCase("rows.jsonl", "{\"text\": \"a\"}\n")]
    [TestCase("rows.json", "[{\"text\": \"a\"}]")]
    [TestCase("rows.csv", "text\na\n")]
    [TestCase("rows.txt", "a\n")]
    public void A_utf8_mark_is_passed_over_and_noted(string name, string text)
    {
        var file = ExampleFile.Read(Write(name, [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(text)]));

        Assert.That(file.Examples.Single().Question, Is.EqualTo("a"));
        Assert.That(file.Notes.Single(), Does.Contain("byte order mark"));
    }

    [Test]
    public void A_cut_gzip_stream_is_a_fault()
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(Encoding.UTF8.GetBytes(
                string.Concat(Enumerable.Range(0, 999).Select(i => $"{{\"text\": \"{i}\"}}\n"))));
        }

        var whole = packed.ToArray();
        Assert.That(ExampleFile.Read(Write("rows.jsonl.gz", whole)).Examples, Has.Count.EqualTo(999));
        Assert.That(
            () => ExampleFile.Read(Write("cut.jsonl.gz", whole[..(whole.Length / 2)])),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("gzip stream"));
    }

    [TestCase("missing.json", "no such file")]
    [TestCase("rows.xlsx", "'.xlsx' names no known format")]
    public void A_path_that_leads_nowhere_is_a_usage_error(string name, string expected)
    {
        var path = Path.Combine(TestFiles.NewFolder(), name);
        if (name.EndsWith("xlsx", StringComparison.Ordinal))
        {
            File.WriteAllText(path, "x");
        }

        Assert.That(
            () => ExampleFile.Read(path),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains(expected)
                .And.Property(nameof(SafeLlamaException.Code)).EqualTo(ExitCode.Usage));
    }

    [Test]
    public void No_bytes_crash_a_reader()
    {
        var folder = TestFiles.NewFolder();
        var bytes = Gen.OneOf(
            Gen.Byte.Array[0, 200],
            Fragments("[", "]", "{", "}", ",", ":", "\"", "\\u", "d83d", "null", "1e9", "-", "\n", "\r", " ",
                "\"instruction\"", "\"messages\"", "\"instructions\"", "\"output\"", "\"text\"", "\"id\"", "\u00e9",
                "\0", "\"\"\""));
        Gen.Select(bytes, Gen.Int[0, Endings.Length - 1], Gen.Bool).Sample(
            (content, ending, optional) =>
            {
                var path = Path.Combine(folder, $"{Guid.NewGuid():N}{Endings[ending]}");
                File.WriteAllBytes(path, content);
                var file = ExampleFile.Inspect(path, optional ? Answers.Optional : Answers.Required);
                Assert.That(file.Examples.Count + file.Faults.Count, Is.GreaterThan(0), "silence is a fault too");
                File.Delete(path);
            },
            iter: 3000);
    }

    [Test]
    public void No_damage_to_a_good_file_crashes_a_reader()
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write("{\"text\": \"some words\"}\n"u8);
        }

        Damage(
            2000,
            (".jsonl.gz", packed.ToArray()),
            (".json",
                """[{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}]"""u8
                    .ToArray()),
            (".json", "{\"instructions\": [\"a\", {\"b\": [1]}], \"tags\": [], \"inputs\": [\"\", null]}"u8.ToArray()),
            (".csv", "instruction,output\n\"a\r\n\"\"b\"\"\",c\n"u8.ToArray()));
    }

    /// <summary>
    /// Fewer rounds: a damaged count can keep the library busy without end, and each such round is waited for.
    /// </summary>
    [Test]
    public void No_damage_to_a_parquet_file_crashes_or_holds_up_its_reader()
    {
        var patience = ParquetRows.Patience;
        ParquetRows.Patience = TimeSpan.FromSeconds(1);
        try
        {
            Damage(60, (".parquet", ParquetRowsTests.Bytes("instruction", "output")));
        }
        finally
        {
            ParquetRows.Patience = patience;
        }
    }

    private static void Damage(int rounds, params (string Ending, byte[] Bytes)[] good)
    {
        var folder = TestFiles.NewFolder();
        var change = Gen.Select(Gen.Int[0, 10_000], Gen.Byte);
        Gen.Select(Gen.Int[0, good.Length - 1], change.Array[1, 4], Gen.Int[0, 10_000]).Sample(
            (which, changes, cut) =>
            {
                var (ending, original) = good[which];
                var bytes = original.ToArray();
                foreach (var (place, value) in changes)
                {
                    bytes[place % bytes.Length] = value;
                }

                var path = Path.Combine(folder, $"{Guid.NewGuid():N}{ending}");
                File.WriteAllBytes(path, cut % 3 == 0 ? bytes[..(cut % bytes.Length)] : bytes);
                ExampleFile.Inspect(path, Answers.Optional);
                File.Delete(path);
            },
            iter: rounds);
    }

    private static Gen<byte[]> Fragments(params string[] fragments) => Gen.Int[0, fragments.Length - 1].Array[0, 30]
        .Select(places => Encoding.UTF8.GetBytes(string.Concat(places.Select(place => fragments[place]))));

    private static string Write(string name, byte[] bytes)
    {
        var path = Path.Combine(TestFiles.NewFolder(), name);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
