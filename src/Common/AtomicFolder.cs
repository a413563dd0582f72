namespace SafeLlama.Common;

/// <summary>
/// Fills folders under another name and then renames them, so that a folder appears whole or not at all.
/// </summary>
/// <remarks>
/// The other name is <c>FOLDER.safellama-partial</c>; where an empty folder is already there, which may be a place of
/// its own such as a mounted disk, it is <c>FOLDER/.safellama-partial</c>, and its entries are moved up one by one at
/// the end. A half-filled folder of a killed process is removed first. A folder whose filling fails is removed at
/// once.
/// </remarks>
public static class AtomicFolder
{
    /// <summary>Fills a new folder.</summary>
    /// <param name="fill">Writes the files into the folder it is given.</param>
    /// <exception cref="SafeLlamaException">The folder holds files, another process fills it, or it cannot be
    /// written.</exception>
    public static void Create(string folder, Action<string> fill) => Create(folder, partial =>
    {
        fill(partial);
        return true;
    });

    /// <summary>Fills a new folder and returns what <paramref name="fill"/> does.</summary>
    /// <exception cref="SafeLlamaException">The folder holds files, another process fills it, or it cannot be
    /// written.</exception>
    public static T Create<T>(string folder, Func<string, T> fill) => Create(folder, last: null, fill);

    private static T Create<T>(string folder, string? last, Func<string, T> fill)
    {
        var target = OutputFolder.RealPath(folder);
        OutputFolder.RequireEmpty(folder, target);
        var inside = Directory.Exists(target);
        var partial = inside
            ? Path.Combine(target, OutputFile.TemporarySuffix)
            : target + OutputFile.TemporarySuffix;
        FileErrors.Writing(folder, () => Directory.CreateDirectory(partial));
        using var held = FileErrors.Writing(folder, () => FolderLock.Take(partial, folder));
        try
        {
            OutputFolder.RequireEmpty(folder, target);
            FileErrors.Writing(folder, () => Clear(partial));
            var result = FileErrors.Writing(folder, () => fill(partial));
            FileErrors.Writing(folder, () => Appear(partial, target, last, inside ? null : held), "Nothing was changed.");
            return result;
        }
        catch
        {
            TryRemove(partial);
            throw;
        }
    }

    /// <summary>Fills a folder unless it was filled before.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="file">A file that is in it then: the last to appear.</param>
    /// <param name="fill">Writes the files into the folder it is given.</param>
    /// <returns>Whether it was filled now.</returns>
    /// <exception cref="SafeLlamaException">The folder lacks the file and holds others, or cannot be
    /// written.</exception>
    public static bool Ensure(string folder, string file, Action<string> fill)
    {
        if (File.Exists(Path.Combine(folder, file)))
        {
            return false;
        }

        return Create(folder, file, partial =>
        {
            fill(partial);
            return true;
        });
    }

    /// <param name="partial">The filled folder.</param>
    /// <param name="target">Its own name.</param>
    /// <param name="last">Where entries are moved one by one, that which is moved last.</param>
    /// <param name="held">The lock in the folder that is renamed; null where its entries are moved.</param>
    private static void Appear(string partial, string target, string? last, FolderLock? held)
    {
        OutputFile.FaultSite?.Invoke("rename", target);
        if (held is not null)
        {
            Directory.Move(partial, target);
            held.Moved(target);
            return;
        }

        foreach (var entry in Entries(partial).OrderBy(entry => Path.GetFileName(entry) == last))
        {
            var place = Path.Combine(target, Path.GetFileName(entry));
            if (Directory.Exists(entry))
            {
                Directory.Move(entry, place);
            }
            else
            {
                File.Move(entry, place);
            }
        }

        Directory.Delete(partial, recursive: true);
    }

    private static void Clear(string folder)
    {
        foreach (var entry in Entries(folder))
        {
            if (Directory.Exists(entry) && new DirectoryInfo(entry).LinkTarget is null)
            {
                Directory.Delete(entry, recursive: true);
            }
            else
            {
                File.Delete(entry);
            }
        }
    }

    private static List<string> Entries(string folder) => [.. Directory.EnumerateFileSystemEntries(folder)
        .Where(entry => Path.GetFileName(entry) != FolderLock.FileName).Order(StringComparer.Ordinal)];

    private static void TryRemove(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            // The first error is the one to report.
        }
    }
}
