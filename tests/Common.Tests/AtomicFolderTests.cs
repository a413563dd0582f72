using SafeLlama.Testing;

namespace SafeLlama.Common.Tests;

[NonParallelizable]
public sealed class AtomicFolderTests
{
    private string _root = "";

    private string Target => Path.Combine(_root, "model");

    [SetUp]
    public void NewRoot() => _root = TestFiles.NewFolder();

    [TearDown]
    public void NoFault() => OutputFile.FaultSite = null;

    [TestCase("")]
    [TestCase("/")]
    public void A_folder_appears_whole(string ending)
    {
        AtomicFolder.Create(Target + ending, partial =>
        {
            Assert.That(Directory.Exists(Target), Is.False);
            Fill(partial);
        });
        AssertFilled(Target);
        Assert.That(Directory.GetFileSystemEntries(_root), Has.Length.EqualTo(1));
    }

    [Test]
    public void An_empty_folder_that_is_there_is_filled()
    {
        Directory.CreateDirectory(Target);
        AtomicFolder.Create(Target, Fill);
        AssertFilled(Target);
    }

    [Test]
    public void A_link_to_a_folder_stays_a_link_and_its_folder_is_filled()
    {
        var link = Path.Combine(_root, "link");
        Directory.CreateDirectory(Target);
        Directory.CreateSymbolicLink(link, "model");
        AtomicFolder.Create(link, Fill);
        AssertFilled(Target);
        Assert.That(new DirectoryInfo(link).LinkTarget, Is.EqualTo("model"));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void A_failure_leaves_nothing(bool isThere)
    {
        if (isThere)
        {
            Directory.CreateDirectory(Target);
        }

        var error = Assert.Throws<SafeLlamaException>(() => AtomicFolder.Create(Target, partial =>
        {
            Fill(partial);
            throw new IOException("No space left on device : '/somewhere'");
        }))!;
        Assert.That(error.Message, Is.EqualTo($"{Target}: cannot be written: No space left on device."));
        Assert.That(Directory.GetFileSystemEntries(_root, "*", SearchOption.AllDirectories),
            Is.EqualTo(isThere ? [Target] : Array.Empty<string>()));
    }

    [Test]
    public void A_folder_that_cannot_be_renamed_is_one_line_and_leaves_nothing()
    {
        OutputFile.FaultSite = (site, _) => throw (site == "rename" ? new IOException("full") : new("unreachable"));
        var error = Assert.Throws<SafeLlamaException>(
            () => AtomicFolder.Create(Target, partial => File.WriteAllText(Path.Combine(partial, "a"), "")))!;
        Assert.That(error.Message, Does.EndWith("full. Nothing was changed."));
        Assert.That(Directory.GetFileSystemEntries(_root), Is.Empty);
    }

    [Test]
    public void What_a_killed_run_left_is_removed_first()
    {
        var left = Directory.CreateDirectory(Target + OutputFile.TemporarySuffix).FullName;
        File.WriteAllText(Path.Combine(left, "half"), "");
        AtomicFolder.Create(Target, Fill);
        AssertFilled(Target);
        Assert.That(Directory.Exists(left), Is.False);
    }

    [Test]
    public void A_folder_with_files_is_refused_and_untouched()
    {
        Fill(Directory.CreateDirectory(Target).FullName);
        var error = OutputFolderTests.Refused(() => AtomicFolder.Create(Target, _ => Assert.Fail("it was filled")));
        Assert.That(error.Message, Does.Contain("nothing is overwritten"));
        Assert.That(AtomicFolder.Ensure(Target, "config.json", _ => Assert.Fail("it was filled")), Is.False);
        AssertFilled(Target);
    }

    /// <summary>Once, a folder of the user's was taken for a half-filled one because of its name.</summary>
    [Test]
    public void Folders_beside_it_stay()
    {
        var others = Directory.CreateDirectory(Target + ".partial").FullName;
        Fill(others);
        AtomicFolder.Create(Target, Fill);
        AssertFilled(others);
    }

    [Test]
    public void A_folder_without_its_file_is_filled_or_refused()
    {
        Directory.CreateDirectory(Target);
        Assert.That(AtomicFolder.Ensure(Target, "config.json", Fill), Is.True);
        AssertFilled(Target);
        File.Move(Path.Combine(Target, "config.json"), Path.Combine(Target, "mine.txt"));
        OutputFolderTests.Refused(() => AtomicFolder.Ensure(Target, "config.json", Fill));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void A_folder_that_is_being_filled_is_refused(bool isThere)
    {
        if (isThere)
        {
            Directory.CreateDirectory(Target);
        }

        AtomicFolder.Create(Target, partial =>
        {
            Fill(partial);
            OutputFolderTests.Refused(() => AtomicFolder.Create(Target, _ => Assert.Fail("it was filled twice")));
            Assert.That(
                () => AtomicFolder.Create(Target, _ => { }),
                Throws.TypeOf<SafeLlamaException>().With.Message.StartsWith($"Out {Target}: process "),
                "the folder is named as the user named it");
        });
        AssertFilled(Target);
    }

    private static void Fill(string folder)
    {
        File.WriteAllText(Path.Combine(folder, "config.json"), "{}");
        Directory.CreateDirectory(Path.Combine(folder, "inner"));
    }

    private static void AssertFilled(string folder) => Assert.That(
        Directory.GetFileSystemEntries(folder).Select(Path.GetFileName).Order(),
        Is.EqualTo(new[] { "config.json", "inner" }));
}
