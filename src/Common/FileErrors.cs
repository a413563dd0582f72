namespace SafeLlama.Common;

/// <summary>Turns an error of the file system into one line that names the file.</summary>
public static class FileErrors
{
    /// <summary>Whether an exception comes from the file system.</summary>
    public static bool Is(Exception e) => e is IOException or UnauthorizedAccessException;

    /// <summary>Reads a file; a refusal becomes <c>PATH: cannot be read: why</c>.</summary>
    /// <param name="code">The program's exit code.</param>
    /// <param name="thing">What cannot be read, where the path alone does not say it: <c>"the judge card "</c>.</param>
    /// <exception cref="SafeLlamaException">The file is missing or cannot be read.</exception>
    public static T Reading<T>(string path, Func<T> read, ExitCode code = ExitCode.Failure, string thing = "")
    {
        try
        {
            return read();
        }
        catch (Exception e) when (Is(e))
        {
            throw new SafeLlamaException(code, $"{path}: {thing}cannot be read: {Reason(e, path)}", e);
        }
    }

    /// <summary>Changes a file or a folder; a refusal becomes <c>PATH: cannot be written: why</c>.</summary>
    /// <param name="kept">A sentence on what the user can rely on or do.</param>
    /// <exception cref="SafeLlamaException">The disk is full, or the place cannot be written.</exception>
    public static void Writing(string path, Action write, string kept = "", params IReadOnlyList<string> waysOut)
    {
        try
        {
            write();
        }
        catch (Exception e) when (Is(e))
        {
            throw Unwritten(path, e, kept, waysOut);
        }
    }

    /// <summary>As <see cref="Writing(string, Action, string, IReadOnlyList{string})"/>, with a result.</summary>
    public static T Writing<T>(string path, Func<T> write, string kept = "", params IReadOnlyList<string> waysOut)
    {
        try
        {
            return write();
        }
        catch (Exception e) when (Is(e))
        {
            throw Unwritten(path, e, kept, waysOut);
        }
    }

    /// <summary>The reason as a sentence, without the path that the runtime adds.</summary>
    public static string Reason(Exception e, string path) => e switch
    {
        FileNotFoundException => "there is no such file.",
        DirectoryNotFoundException => "there is no such folder.",
        PathTooLongException => "the path is too long.",
        EndOfStreamException => "the file ends too soon.",
        UnauthorizedAccessException => Directory.Exists(path) && !File.Exists(path)
            ? "it is a folder that cannot be used so, or permission is denied."
            : "permission is denied.",
        _ when e.Message.Contains("being used by another process", StringComparison.Ordinal) =>
            "another process is using it.",
        _ => OneSentence(e.Message),
    };

    private static SafeLlamaException Unwritten(string path, Exception e, string kept, IReadOnlyList<string> waysOut) =>
        new(ExitCode.Failure,
            $"{path}: cannot be written: {Reason(e, path)}{(kept.Length > 0 ? " " + kept : "")}", e, waysOut);

    private static string OneSentence(string message)
    {
        var text = message.ReplaceLineEndings(" ").Trim();
        var path = text.IndexOf(" : '", StringComparison.Ordinal);
        text = path > 0 ? text[..path] : text;
        return text.EndsWith('.') ? text : text + ".";
    }
}
