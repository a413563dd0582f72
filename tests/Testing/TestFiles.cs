using System.Collections.Concurrent;

namespace SafeLlama.Testing;

/// <summary>Where tests find their files: the repository, the reference fixtures, the real data sets.</summary>
public static class TestFiles
{
    private static readonly ConcurrentBag<string> Folders = [];

    /// <summary>The repository's root: the folder that holds SafeLlama.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The fixtures that come with the project, whatever other set is tested.</summary>
    public static string ShippedReference => Path.Combine(Root, "tests", "fixtures", "reference");

    /// <summary>
    /// Numbers from the Hugging Face stack; <c>SAFELLAMA_REFERENCE</c> names another folder of the same layout.
    /// </summary>
    public static string Reference { get; } =
        Environment.GetEnvironmentVariable("SAFELLAMA_REFERENCE") is { Length: > 0 } named
            ? named
            : ShippedReference;

    /// <summary>
    /// The path of a real data file, or a skipped test where it is absent (licenses keep it out of the project).
    /// </summary>
    public static string Data(string relative) => Elsewhere("SAFELLAMA_DATA", "data", relative, "real data sets");

    /// <summary>
    /// The path of a trained model or tokenizer that people use, or a skipped test where it is absent.
    /// </summary>
    public static string Real(string relative) => Elsewhere("SAFELLAMA_REAL", "real", relative, "trained models");

    /// <summary>The path of a file made by libllama, or a skipped test where it is absent.</summary>
    public static string Interop(string relative) =>
        Elsewhere("SAFELLAMA_INTEROP", "interop", relative, "files of libllama");

    /// <summary>The path of a small input that once gave a wrong result without a word.</summary>
    public static string Fault(string relative) => Path.Combine(Root, "tests", "fixtures", "faults", relative);

    /// <summary>A new empty folder for one test; it is gone when the tests end.</summary>
    public static string NewFolder()
    {
        var folder = Directory.CreateTempSubdirectory("safellama-").FullName;
        Folders.Add(folder);
        return folder;
    }

    /// <summary>Deletes all folders of tests; for the end of a project's tests.</summary>
    public static void DeleteFolders()
    {
        foreach (var folder in Folders)
        {
            Delete(folder);
        }
    }

    private static string Elsewhere(string variable, string name, string relative, string what)
    {
        var folder = Environment.GetEnvironmentVariable(variable) is { Length: > 0 } named
            ? named
            : Path.Combine(Root, "..", "shared", name);
        var path = Path.GetFullPath(Path.Combine(folder, relative));
        if (!Path.Exists(path))
        {
            Assert.Ignore($"{relative} is not here: {what} are not part of the project. "
                + $"{variable} names the folder that holds them.");
        }

        return path;
    }

    private static void Delete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Already gone, or made read-only by its test: the system's own cleaning takes it.
        }
    }

    private static string FindRoot()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "SafeLlama.sln")))
            {
                return folder;
            }
        }

        return AppContext.BaseDirectory;
    }
}
