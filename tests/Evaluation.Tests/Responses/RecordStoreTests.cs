using SafeLlama.Common;
using SafeLlama.Inference;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests;

[TestFixture]
public sealed class RecordStoreTests
{
    private string _path = "";

    [SetUp]
    public void SetUp() => _path = Path.Combine(TestFiles.NewFolder(), "responses.jsonl");

    private static Response Record(int i) =>
        new("s", $"{i}", 0, "a\nb\u2028„ü“\"", [1, 2, 3], $"answer {i}\r\n</s>", 3, "end")
        {
            Settings = DecodingConfig.AuthorsEffective,
        };

    [Test]
    [Category("Fault")]
    public void Killed_at_any_byte_nothing_is_lost_or_repeated()
    {
        Fill(0, 3);
        var whole = File.ReadAllBytes(_path);
        for (var cut = 0; cut <= whole.Length; cut++)
        {
            File.WriteAllBytes(_path, whole[..cut]);
            using (var store = RecordStore.Open<Response>(_path))
            {
                Assert.That(store.TornLines, Is.EqualTo(cut > 0 && whole[cut - 1] != '\n' ? 1 : 0));
                for (var i = 0; i < 3; i++)
                {
                    if (!store.Contains(Record(i).Key))
                    {
                        store.Append(Record(i));
                    }
                }
            }

            Assert.That(File.ReadAllBytes(_path), Is.EqualTo(whole), $"cut at byte {cut}");
        }
    }

    /// <summary>Once, a file of one line without its end was taken for a torn record and emptied.</summary>
    [TestCase("my one-line note")]
    [TestCase("{\"my\": \"note\"}")]
    public void A_last_line_that_begins_no_record_stays(string note)
    {
        File.WriteAllText(_path, note);
        Assert.That(
            () => RecordStore.Open<Response>(_path),
            Throws.TypeOf<SafeLlamaException>().With.Message.StartsWith($"{_path}:1: is no response, and is not overwritten"));
        Assert.That(File.ReadAllText(_path), Is.EqualTo(note));
    }

    [Test]
    public void Records_that_are_refused_stay_as_they_are_with_their_torn_line()
    {
        Fill(0, 2);
        File.AppendAllText(_path, "{\"suite\":\"s");
        var before = File.ReadAllBytes(_path);
        var seen = 0;
        Assert.That(
            () => RecordStore.Open<Response>(_path, kept =>
            {
                seen = kept.Count;
                throw SafeLlamaException.Usage("another run's");
            }),
            Throws.TypeOf<SafeLlamaException>().With.Message.EqualTo("another run's"));
        Assert.That(seen, Is.EqualTo(2));
        Assert.That(File.ReadAllBytes(_path), Is.EqualTo(before));
    }

    [Test]
    public void A_line_of_zeros_is_what_a_crash_may_leave()
    {
        File.WriteAllBytes(_path, new byte[100]);
        using var store = RecordStore.Open<Response>(_path);
        Assert.That(store.TornLines, Is.EqualTo(1));
    }

    [Test]
    public void What_is_read_back_is_what_was_written()
    {
        Fill(0, 2);
        var read = RecordStore.Read<Response>(_path);
        Assert.That(read[1].Answer, Is.EqualTo(Record(1).Answer));
        Assert.That(read[1].PromptTokens, Is.EqualTo(Record(1).PromptTokens));
        Assert.That(read[1].Settings, Is.EqualTo(DecodingConfig.AuthorsEffective));
        Assert.That(File.ReadAllLines(_path), Has.Length.EqualTo(2), "one line a record, whatever the answer holds");
    }

    [Test]
    public void A_damaged_line_in_the_middle_is_named_and_nothing_is_dropped()
    {
        Fill(0, 3);
        var lines = File.ReadAllLines(_path);
        lines[1] = lines[1][..20];
        File.WriteAllText(_path, string.Join('\n', lines) + "\n");
        var before = File.ReadAllBytes(_path);
        var error = Assert.Throws<SafeLlamaException>(() => RecordStore.Open<Response>(_path))!;
        Assert.That(error.Code, Is.EqualTo(ExitCode.InvalidData));
        Assert.That(error.Message, Does.Contain("responses.jsonl:2"));
        Assert.That(File.ReadAllBytes(_path), Is.EqualTo(before));
    }

    [TestCase("{}")]
    [TestCase("null")]
    [TestCase("[1]")]
    [TestCase("{\"suite\":null,\"id\":\"1\",\"sample\":0}")]
    [TestCase("{\"suite\":\"s\",\"id\":\"1\",\"sample\":\"x\"}")]
    public void A_line_of_another_kind_is_refused(string line)
    {
        File.WriteAllText(_path, line + "\n");
        Assert.That(() => RecordStore.Open<Response>(_path), Throws.InstanceOf<SafeLlamaException>()
            .With.Message.Contains("responses.jsonl:1"));
    }

    [Test]
    public void A_record_given_twice_is_refused()
    {
        Fill(0, 1);
        File.AppendAllText(_path, File.ReadAllText(_path));
        Assert.That(() => RecordStore.Open<Response>(_path), Throws.InstanceOf<SafeLlamaException>()
            .With.Message.Contains("there twice"));
    }

    [Test]
    public void Two_writers_at_once_are_refused()
    {
        using var first = RecordStore.Open<Response>(_path);
        Assert.That(() => RecordStore.Open<Response>(_path), Throws.InstanceOf<SafeLlamaException>());
    }

    [Test]
    [Category("Fault")]
    public void A_full_disk_keeps_what_was_written_and_says_so()
    {
        Fill(0, 1);
        OutputFile.FaultSite = (site, path) =>
        {
            if (site == "append" && path == _path)
            {
                throw new IOException("No space left on device.");
            }
        };
        try
        {
            Assert.That(
                () => Fill(1, 1), Throws.InstanceOf<SafeLlamaException>().With.Message.Contains("1 records are kept"));
        }
        finally
        {
            OutputFile.FaultSite = null;
        }

        Assert.That(RecordStore.Read<Response>(_path), Has.Count.EqualTo(1));
    }

    private void Fill(int first, int count)
    {
        using var store = RecordStore.Open<Response>(_path);
        for (var i = first; i < first + count; i++)
        {
            store.Append(Record(i));
        }
    }
}
