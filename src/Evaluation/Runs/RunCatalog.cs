using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>The evaluation runs under a folder, for the verb <c>runs</c>.</summary>
public static class RunCatalog
{
    /// <param name="Path">The run's folder.</param>
    /// <param name="Manifest">Its manifest; null where it cannot be read.</param>
    /// <param name="Summary">Its tables; null while it is unfinished.</param>
    /// <param name="Responses">Whole answers on the disk.</param>
    /// <param name="Written">When the manifest was last written, UTC.</param>
    /// <param name="Problem">Why it cannot be read; null where it can.</param>
    public sealed record Entry(
        string Path, RunManifest? Manifest, EvaluationSummary? Summary, int Responses, DateTime Written,
        string? Problem)
    {
        public string State => Problem is not null ? "damaged" : Summary is null ? "unfinished" : "finished";
    }

    /// <summary>Every run in or below <paramref name="folder"/>, oldest first, without runs of other kinds.</summary>
    /// <exception cref="SafeLlamaException">There is no such folder.</exception>
    public static IReadOnlyList<Entry> List(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw SafeLlamaException.Usage($"runs {folder}: there is no such folder.");
        }

        var manifests = Directory.EnumerateFiles(folder, RunManifest.FileName, new EnumerationOptions
        {
            RecurseSubdirectories = true,
            IgnoreInaccessible = true,
            MaxRecursionDepth = 8,
        });
        return
        [
            .. manifests.Select(file => System.IO.Path.GetDirectoryName(file)!)
                .Where(run => File.Exists(System.IO.Path.Combine(run, EvaluationRun.PromptsFile)))
                .Select(Read).OrderBy(e => e.Written).ThenBy(e => e.Path, StringComparer.Ordinal),
        ];
    }

    public static Entry Read(string folder)
    {
        var written = File.GetLastWriteTimeUtc(System.IO.Path.Combine(folder, RunManifest.FileName));
        try
        {
            var manifest = RunManifest.Read(folder);
            var responses = System.IO.Path.Combine(folder, EvaluationRun.ResponsesFile);
            var count = File.Exists(responses) ? RecordStore.Read<Response>(responses).Count : 0;
            var summary = count >= manifest.Asked && File.Exists(
                System.IO.Path.Combine(folder, EvaluationSummary.FileName))
                ? EvaluationSummary.Read(folder)
                : null;
            return new(folder, manifest, summary, count, written, null);
        }
        catch (SafeLlamaException e)
        {
            return new(folder, null, null, 0, written, e.Message);
        }
    }
}
