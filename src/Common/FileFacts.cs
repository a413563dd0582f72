namespace SafeLlama.Common;

/// <summary>Facts of the file that a path leads to, through symbolic links.</summary>
/// <remarks>A model in a Hugging Face hub cache is a folder of links into <c>blobs</c>; the size of a link is the
/// length of its own text.</remarks>
public static class FileFacts
{
    /// <summary>The most links to follow; a path with more is circular.</summary>
    private const int MostLinks = 40;

    /// <summary>The bytes of the file, not of a link to it.</summary>
    /// <exception cref="IOException">It cannot be opened, or is a pipe or a device.</exception>
    public static long Length(string path)
    {
        // The open handle is the file itself; a relative link below a linked folder is resolved by the system.
        using var handle = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
        try
        {
            return RandomAccess.GetLength(handle);
        }
        catch (NotSupportedException e)
        {
            throw new IOException("it is a pipe or a device, which has no length; save what it gives as a file.", e);
        }
    }

    /// <summary>The absolute path with every link followed; the last part need not exist.</summary>
    /// <exception cref="IOException">Links lead in circles.</exception>
    public static string RealPath(string path)
    {
        var full = Path.GetFullPath(path);
        var real = Path.GetPathRoot(full)!;
        var parts = new Stack<string>();
        Push(full[real.Length..]);
        for (var links = 0; parts.TryPop(out var part);)
        {
            var next = part == ".." ? Path.GetDirectoryName(real) ?? real : Path.Combine(real, part);
            if (part == ".." || new FileInfo(next).LinkTarget is not { } target)
            {
                real = next;
                continue;
            }

            if (++links > MostLinks)
            {
                throw new IOException("its links lead in circles.");
            }

            var root = Path.GetPathRoot(target)!;
            real = root.Length > 0 ? root : real;
            Push(target[root.Length..]);
        }

        return real;

        void Push(string rest)
        {
            foreach (var part in rest.Split(
                [Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar],
                StringSplitOptions.RemoveEmptyEntries).Reverse().Where(part => part != "."))
            {
                parts.Push(part);
            }
        }
    }
}
