namespace SafeLlama.Common;

/// <summary>A folder that this process alone writes into until it is disposed.</summary>
public sealed class OutputFolder : IDisposable
{
    private readonly FolderLock _lock;
    private readonly bool _isNew;

    private OutputFolder(string path, FolderLock held, bool isNew) => (Path, _lock, _isNew) = (path, held, isNew);

    /// <summary>The path of the folder, with links followed and without a separator at the end.</summary>
    public string Path { get; }

    /// <summary>Creates the folder, or takes an existing one, and keeps other processes out of it.</summary>
    /// <param name="resume">Whether the folder may hold files of a run that is resumed.</param>
    /// <param name="run">By each of these a run that is there is known; without any, whatever is there is.</param>
    /// <exception cref="SafeLlamaException">It is a file, holds files that are not such a run's, or another process
    /// writes there.</exception>
    public static OutputFolder Claim(string folder, bool resume = false, params RunSign[] run)
    {
        var path = RealPath(folder);
        var isNew = !Directory.Exists(path);
        FileErrors.Writing(folder, () => Directory.CreateDirectory(path));
        FolderLock? held = null;
        try
        {
            held = FileErrors.Writing(folder, () => FolderLock.Take(path));
            RequireFree(folder, path, resume, run);
            return new OutputFolder(path, held, isNew);
        }
        catch
        {
            Leave(path, held, isNew);
            throw;
        }
    }

    /// <summary>Lets other processes in, and removes a folder that stayed empty.</summary>
    public void Dispose() => Leave(Path, _lock, _isNew);

    private static void Leave(string path, FolderLock? held, bool isNew)
    {
        held?.Dispose();
        try
        {
            if (isNew && Directory.Exists(path) && !Directory.EnumerateFileSystemEntries(path).Any())
            {
                Directory.Delete(path);
            }
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            // Another process put files there or claimed the folder, so it must stay.
        }
    }

    /// <summary>Forgets who claimed this folder and those within: a process that is known to have ended.</summary>
    public static void Abandon(string folder)
    {
        if (Directory.Exists(folder))
        {
            FileErrors.Writing(folder, () =>
            {
                foreach (var left in Directory.EnumerateFiles(folder, FolderLock.FileName, SearchOption.AllDirectories))
                {
                    File.Delete(left);
                }
            });
        }
    }

    /// <summary>Whether a process has claimed the folder, as this machine sees it.</summary>
    public static bool IsClaimed(string folder) => File.Exists(System.IO.Path.Combine(folder, FolderLock.FileName));

    /// <summary>The path of a folder with links followed.</summary>
    /// <exception cref="SafeLlamaException">A file is there, or links lead in circles.</exception>
    internal static string RealPath(string folder)
    {
        if (folder.Length == 0)
        {
            throw SafeLlamaException.Usage("`Out` is empty; expected the name of a folder.");
        }

        var path = FileErrors.Writing(folder, () => FileFacts.RealPath(folder));
        return File.Exists(path)
            ? throw SafeLlamaException.Usage($"`Out` {folder}: is a file, expected a folder.")
            : System.IO.Path.TrimEndingDirectorySeparator(path);
    }

    /// <summary>Refuses, before any work, a folder that <see cref="Claim"/> would refuse, and one to resume that is
    /// not there.</summary>
    /// <exception cref="SafeLlamaException">It is a file, holds files that are not such a run's, or is not
    /// there.</exception>
    public static void RequireFree(string folder, bool resume, params RunSign[] run)
    {
        var path = RealPath(folder);
        if (resume && !Directory.Exists(path))
        {
            throw SafeLlamaException.Usage(
                $"`Resume` {folder}: is not there, so no run can go on in it.", "leave `Resume` out to begin one");
        }

        if (!IsClaimed(path))       // else who writes there is told by the claim
        {
            RequireFree(folder, path, resume, run);
        }
    }

    /// <exception cref="SafeLlamaException">The folder holds files.</exception>
    internal static void RequireEmpty(string folder, string path) => RequireFree(folder, path, resume: false, []);

    private static void RequireFree(string folder, string path, bool resume, RunSign[] run)
    {
        if (!Directory.Exists(path))
        {
            return;
        }

        var isRun = run.Any(sign => sign.IsIn(path));
        if (resume && (isRun || run.Length == 0))
        {
            return;
        }

        var holds = FileErrors.Reading(
            folder, () => Directory.EnumerateFileSystemEntries(path).Any(entry => !IsRest(entry, deep: run.Length > 0)));
        if (holds && resume)
        {
            var other = run.FirstOrDefault(sign => File.Exists(System.IO.Path.Combine(path, sign.File)));
            other?.RequireJson(path);
            throw SafeLlamaException.Usage(
                $"`Resume` {folder}: holds files, but no such run to go on with; "
                + (other is null ? $"expected {string.Join(" or ", run.Select(sign => sign.File))}."
                    : $"its {other.File} is not of such a run, and lacks "
                        + $"{string.Join(" or ", other.Fields.Select(field => $"\"{field}\""))}."),
                "name the folder of a run with `Out`");
        }

        if (holds)
        {
            throw SafeLlamaException.Usage(
                $"`Out` {folder}: is not empty, and nothing is overwritten.",
                ["name another folder", .. isRun ? (string[])["use `Resume`"] : []]);
        }
    }

    /// <summary>What a process leaves that was killed before it had written anything whole.</summary>
    /// <param name="entry">A file or folder.</param>
    /// <param name="deep">Whether a folder that holds nothing else is such a rest too.</param>
    private static bool IsRest(string entry, bool deep)
    {
        var name = System.IO.Path.GetFileName(entry);
        if (name == FolderLock.FileName || name.EndsWith(OutputFile.TemporarySuffix, StringComparison.Ordinal))
        {
            return true;
        }

        try
        {
            return deep && Directory.Exists(entry) && new DirectoryInfo(entry).LinkTarget is null
                && Directory.EnumerateFileSystemEntries(entry).All(inner => IsRest(inner, deep));
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }
}
