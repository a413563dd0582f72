using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Data.Tests;

/// <summary>Files whose rows both count from 1, or that share a name, can be used together.</summary>
public sealed class RowIdsTests
{
    private static string Folder => TestFiles.Fault(Path.Combine("train", "equal-ids-in-two-files"));

    [Test]
    public void Rows_of_files_that_share_ids_get_the_files_name()
    {
        var mixture = Mix(
            [Path.Combine(Folder, "base.jsonl"), Path.Combine(Folder, "base2.jsonl")],
            [Path.Combine(Folder, "safe.jsonl")]);
        var ids = mixture.Examples.Select(row => row.Id).ToList();
        Assert.Multiple(() =>
        {
            Assert.That(ids, Has.Count.EqualTo(45).And.Unique);
            Assert.That(ids, Has.Some.EqualTo("base.jsonl/1").And.Some.EqualTo("base2.jsonl/1")
                .And.Some.EqualTo("safe.jsonl/1"));
            Assert.That(mixture.IsSafety("safe.jsonl/1"));
            Assert.That(mixture.IsSafety("base.jsonl/1"), Is.False);
            Assert.That(mixture.Notes, Has.Count.EqualTo(3).And.Some.Contains("base2.jsonl/ID"));
        });
    }

    [Test]
    public void Files_of_one_name_are_numbered()
    {
        var (first, second) = (Copy("base.jsonl"), Copy("base2.jsonl"));
        var ids = Mix([first, second], []).Examples.Select(row => row.Id).ToList();
        Assert.That(ids, Has.Count.EqualTo(40).And.Unique);
        Assert.That(ids, Has.Some.EqualTo("rows.jsonl/20").And.Some.EqualTo("rows.jsonl(2)/20"));
    }

    [Test]
    public void Files_that_share_no_id_keep_theirs()
    {
        var mixture = Mix([Path.Combine(Folder, "base.jsonl")], []);
        Assert.That(mixture.Examples.Select(row => row.Id), Has.Some.EqualTo("20"));
        Assert.That(mixture.Notes, Is.Empty);
    }

    [Test]
    public void A_file_given_twice_is_refused()
    {
        var file = Path.Combine(Folder, "base.jsonl");
        Assert.That(
            () => Mix([file], [file]),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("base.jsonl: is given twice"));
    }

    [Test]
    public void A_row_without_a_final_line_break_counts()
    {
        var path = Path.Combine(TestFiles.NewFolder(), "rows.jsonl");
        File.WriteAllText(path, "{\"text\": \"a\"}\n{\"text\": \"b\"}");
        Assert.That(ExampleFile.Read(path).RowCount, Is.EqualTo(2));
        File.WriteAllText(path, "{\"text\": \"a\"}\n{\"text\": 5}");
        Assert.That(ExampleFile.Inspect(path).RowCount, Is.EqualTo(2), "a row with a fault was seen too");
    }

    private static string Copy(string name)
    {
        var copy = Path.Combine(TestFiles.NewFolder(), "rows.jsonl");
        File.Copy(Path.Combine(Folder, name), copy);
        return copy;
    }

    private static SafetyMixture Mix(string[] baseFiles, string[] safetyFiles) => SafetyMixture.Build(
        [.. baseFiles.Select(file => new MixtureSource(ExampleFile.Read(file)))],
        [.. safetyFiles.Select(file => new MixtureSource(ExampleFile.Read(file)))],
        new MixtureOptions { SafetyCount = safetyFiles.Length > 0 ? 5 : 0, Deduplicate = true });
}
