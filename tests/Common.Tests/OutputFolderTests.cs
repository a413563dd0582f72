using SafeLlama.Testing;

namespace SafeLlama.Common.Tests;

public sealed class OutputFolderTests
{
    private static readonly RunSign Sign = new("run.json", "rows", "plan");

    private string _root = "";

    [SetUp]
    public void NewRoot() => _root = TestFiles.NewFolder();

    [Test]
    public void A_folder_with_files_is_refused_unless_resumed()
    {
        File.WriteAllText(Path.Combine(_root, "run.json"), """{"plan": {}, "rows": 3}""");
        var error = Refused(() => OutputFolder.Claim(_root, resume: false, Sign));
        Assert.That(error.Message, Does.Contain("is not empty").And.EndsWith("Name another folder, or use Resume."));
        using var claimed = OutputFolder.Claim(_root, resume: true, Sign);
        Assert.That(claimed.Path, Is.EqualTo(FileFacts.RealPath(_root)));
    }

    [Test]
    public void A_folder_of_other_files_is_no_run_to_go_on_with()
    {
        File.WriteAllText(Path.Combine(_root, "letters.txt"), "dear");
        var begun = Refused(() => OutputFolder.Claim(_root, resume: false, Sign));
        Assert.That(begun.Message, Does.EndWith("Name another folder."), "it could not be resumed");
        var resumed = Refused(() => OutputFolder.Claim(_root, resume: true, Sign));
        Assert.That(resumed.Message, Does.Contain("no such run to go on with; expected run.json"));
        Assert.That(Directory.GetFileSystemEntries(_root), Has.Length.EqualTo(1));
    }

    [Test]
    public void A_run_that_was_killed_before_it_wrote_can_be_resumed()
    {
        File.WriteAllText(Path.Combine(_root, "run.json" + OutputFile.TemporarySuffix), "{");
        File.WriteAllText(Path.Combine(_root, ".lock"), "");
        OutputFolder.Claim(_root, resume: true, Sign).Dispose();
        OutputFolder.RequireFree(_root, resume: true, Sign);
        OutputFolder.Claim(_root, resume: false, Sign).Dispose();
        var within = Directory.CreateDirectory(Path.Combine(_root, "clean")).FullName;
        OutputFolder.Claim(_root, resume: false, Sign).Dispose();
        File.WriteAllText(Path.Combine(within, ".lock"), "");
        OutputFolder.Claim(_root, resume: false, Sign).Dispose();
        File.WriteAllText(Path.Combine(within, "thesis.txt"), "");
        Refused(() => OutputFolder.Claim(_root, resume: false, Sign));
    }

    /// <summary>Once, any file of that name was a sign, and a run that went on wrote over it.</summary>
    [TestCase("""{"my": "cocktails", "plan": 1}""")]
    [TestCase("[1]")]
    [TestCase(null)]
    public void A_file_of_the_same_name_is_no_run(string? text)
    {
        var file = Path.Combine(_root, "run.json");
        if (text is null)
        {
            File.WriteAllText(Path.Combine(Directory.CreateDirectory(file).FullName, "mine.txt"), "");
        }
        else
        {
            File.WriteAllText(file, text);
        }

        var error = Refused(() => OutputFolder.Claim(_root, resume: true, Sign));
        Assert.That(error.Message, Does.Contain(text is null ? "expected run.json"
            : "its run.json is not of such a run, and lacks \"rows\" or \"plan\""));
        Assert.That(text is null || File.ReadAllText(file) == text);
    }

    [Test]
    public void A_damaged_sign_is_named()
    {
        File.WriteAllText(Path.Combine(_root, "run.json"), """{"plan": """);
        Assert.That(
            Refused(() => OutputFolder.Claim(_root, resume: false, Sign)).Message, Does.EndWith("Name another folder."));
        Assert.That(
            () => OutputFolder.Claim(_root, resume: true, Sign),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("run.json:1: is not as a run writes it")
                .And.Property(nameof(SafeLlamaException.Code)).EqualTo(ExitCode.InvalidData));
    }

    [Test]
    public void A_folder_that_is_not_there_has_no_run()
    {
        var missing = Path.Combine(_root, "run");
        var error = Refused(() => OutputFolder.RequireFree(missing, resume: true, Sign));
        Assert.That(error.Message, Does.Contain("is not there").And.EndsWith("Leave Resume out to begin one."));
        OutputFolder.RequireFree(missing, resume: false, Sign);
        Assert.That(missing, Does.Not.Exist);
    }

    [Test]
    public void A_folder_that_is_written_is_refused_and_free_afterwards()
    {
        var folder = Path.Combine(_root, "run");
        using (OutputFolder.Claim(folder))
        {
            var error = Refused(() => OutputFolder.Claim(folder, resume: true));
            Assert.That(error.Message, Does.Contain($"process {Environment.ProcessId} on {Environment.MachineName}"));
        }

        Assert.DoesNotThrow(() => OutputFolder.Claim(folder).Dispose());
    }

    [TestCase(1, "a process that never ran here", TestName = "A_lock_of_a_process_that_has_ended_is_stale")]
    [TestCase(0, "", TestName = "An_empty_lock_is_stale")]
    public void A_lock_that_nobody_holds_is_stale(int started, string holder)
    {
        var text = holder.Length == 0 ? "" : Lock(int.MaxValue, started, Environment.MachineName);
        File.WriteAllText(Path.Combine(_root, ".lock"), text);
        OutputFolder.Claim(_root).Dispose();
        Assert.That(Directory.GetFileSystemEntries(_root), Is.Empty);
    }

    [Test]
    public void A_lock_of_a_later_process_with_the_same_id_is_stale()
    {
        File.WriteAllText(
            Path.Combine(_root, ".lock"), Lock(Environment.ProcessId, started: 1, Environment.MachineName));
        Assert.DoesNotThrow(() => OutputFolder.Claim(_root).Dispose());
    }

    [Test]
    public void A_lock_of_another_host_is_kept_and_its_file_is_named()
    {
        var file = Path.Combine(_root, ".lock");
        File.WriteAllText(file, Lock(int.MaxValue, 1, "elsewhere"));
        Assert.That(Refused(() => OutputFolder.Claim(_root)).Message, Does.Contain("elsewhere").And.Contain(
            $"Delete {FileFacts.RealPath(file)} if that process no longer runs"));
        Assert.That(File.Exists(file));
    }

    [Test]
    public void Of_many_claims_at_once_one_wins()
    {
        File.WriteAllText(Path.Combine(_root, ".lock"), Lock(int.MaxValue, 1, Environment.MachineName));
        var won = new List<OutputFolder>();
        var refused = 0;
        Parallel.For(0, 16, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
        {
            try
            {
                var claimed = OutputFolder.Claim(_root);
                lock (won)
                {
                    won.Add(claimed);
                }
            }
            catch (SafeLlamaException e) when (e.Code == ExitCode.Usage)
            {
                Interlocked.Increment(ref refused);
            }
        });
        Assert.That((won.Count, refused), Is.EqualTo((1, 15)));
        won[0].Dispose();
    }

    [Test]
    public void A_folder_made_for_nothing_is_removed_and_one_with_files_stays()
    {
        var (empty, full) = (Path.Combine(_root, "empty"), Path.Combine(_root, "full"));
        OutputFolder.Claim(empty + Path.DirectorySeparatorChar).Dispose();
        using (var claimed = OutputFolder.Claim(full))
        {
            File.WriteAllText(Path.Combine(claimed.Path, "a"), "");
        }

        Assert.That(Directory.GetFileSystemEntries(_root), Is.EqualTo(new[] { full }));
        Assert.That(Directory.GetFiles(full), Has.Length.EqualTo(1));
    }

    [Test]
    public void A_file_in_the_place_of_a_folder_is_refused()
    {
        var file = Path.Combine(_root, "file");
        File.WriteAllText(file, "");
        Assert.That(Refused(() => OutputFolder.Claim(file)).Message, Does.Contain("is a file, expected a folder"));
    }

    internal static SafeLlamaException Refused(Action claim)
    {
        var error = Assert.Throws<SafeLlamaException>(() => claim())!;
        Assert.That(error.Code, Is.EqualTo(ExitCode.Usage));
        return error;
    }

    private static string Lock(int process, long started, string host) =>
        $$"""{"process":{{process}},"started":{{started}},"host":"{{host}}","since":"then","token":"t"}""";
}
