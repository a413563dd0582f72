namespace SafeLlama.Common;

/// <summary>
/// Writes files under a temporary name, reads them back and renames them, so that a file appears whole or not at all.
/// </summary>
public static class OutputFile
{
    /// <summary>The ending of what is still being written; nobody else uses it, and a left-over one is overwritten.
    /// </summary>
    public const string TemporarySuffix = ".safellama-partial";

    /// <summary>
    /// Called at the named sites <c>write</c>, <c>flush</c> and <c>rename</c>; a test may fail or kill there.
    /// </summary>
    public static Action<string, string>? FaultSite { get; set; }

    /// <summary>Refuses, before any work, a file that would be lost or has no name.</summary>
    /// <exception cref="SafeLlamaException">The name is empty, or the file is there already.</exception>
    public static void CheckNew(string path)
    {
        if (string.IsNullOrWhiteSpace(path))
        {
            throw SafeLlamaException.Usage("`Out` is empty; expected the name of a file.");
        }

        if (Path.Exists(path))
        {
            throw SafeLlamaException.Usage($"`Out` {path}: is there already, and nothing is overwritten.");
        }
    }

    /// <summary>
    /// Writes a file through <paramref name="write"/>, checks it through <paramref name="verify"/>, then renames it.
    /// </summary>
    /// <exception cref="SafeLlamaException">
    /// The disk is full, the folder is read-only, or what was read back differs.
    /// </exception>
    public static void Write(string path, Action<Stream> write, Action<string>? verify = null)
    {
        // A link stays a link: the file that it points to is replaced.
        var target = new FileInfo(path).LinkTarget is null ? path : FileFacts.RealPath(path);
        var temporary = target + TemporarySuffix;
        try
        {
            FaultSite?.Invoke("write", path);
            using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16))
            {
                write(stream);
                FaultSite?.Invoke("flush", path);
                stream.Flush(flushToDisk: true);
            }

            verify?.Invoke(temporary);
            FaultSite?.Invoke("rename", path);
            File.Move(temporary, target, overwrite: true);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            TryDelete(temporary);
            throw SafeLlamaException.Failure(
                $"{path}: cannot be written: {FileErrors.Reason(e, path)} Nothing was changed.", e);
        }
        catch
        {
            TryDelete(temporary);
            throw;
        }
    }

    /// <summary>Writes a value as an indented JSON document, as <see cref="Write"/> does.</summary>
    public static void WriteJson<T>(string path, T value) => WriteText(path, Json.FileText(value));

    /// <summary>Writes a text file (UTF-8, no byte order mark), as <see cref="Write"/> does.</summary>
    public static void WriteText(string path, string text) => Write(
        path,
        stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)),
        written =>
        {
            if (File.ReadAllText(written) != text)
            {
                throw new IOException("what was read back differs from what was written.");
            }
        });

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            // The first error is reported; a left-over temporary file is named so that the user can delete it.
        }
    }
}
