using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Common;

namespace SafeLlama.Training;

/// <summary>The fine-tuning runs under a folder.</summary>
public static class TrainingCatalog
{
    /// <param name="Path">The run's folder.</param>
    /// <param name="File">Its settings and hashes; null where they cannot be read.</param>
    /// <param name="Saved">The folder of the adapter or of the model; null while the run is unfinished.</param>
    /// <param name="Steps">The last step in its log.</param>
    /// <param name="ValidationLoss">The lowest after the first step; null where nothing was held out.</param>
    /// <param name="Written">When its log, or its settings, were last written, UTC.</param>
    /// <param name="Problem">Why it cannot be read; null where it can.</param>
    public sealed record Entry(
        string Path, RunFile? File, string? Saved, int Steps, double? ValidationLoss, DateTime Written, string? Problem)
    {
        public string State => Problem is not null ? "damaged" : Saved is null ? "unfinished" : "finished";
    }

    /// <summary>Every run in or below <paramref name="folder"/>, oldest first.</summary>
    public static IReadOnlyList<Entry> List(string folder)
    {
        var files = Directory.EnumerateFiles(folder, RunFile.Name, new EnumerationOptions
        {
            RecurseSubdirectories = true,
            IgnoreInaccessible = true,
            MaxRecursionDepth = 8,
        });
        return
        [
            .. files.Where(IsTraining).Select(file => Read(System.IO.Path.GetDirectoryName(file)!))
                .OrderBy(e => e.Written).ThenBy(e => e.Path, StringComparer.Ordinal),
        ];
    }

    private static bool IsTraining(string file)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllBytes(file)) is JsonObject fields
                && fields["verb"] is JsonValue verb && verb.TryGetValue(out string? name) && name == "train";
        }
        catch (Exception e) when (e is JsonException or ArgumentException || FileErrors.Is(e))
        {
            return false;       // what is no JSON object is not known to be a training run
        }
    }

    private static Entry Read(string folder)
    {
        var metrics = System.IO.Path.Combine(folder, TrainingLog.MetricsName);
        var written = File.GetLastWriteTimeUtc(
            File.Exists(metrics) ? metrics : System.IO.Path.Combine(folder, RunFile.Name));
        try
        {
            var (steps, loss) = TrainingLog.Progress(folder);
            var saved = new[] { "adapter", "model" }.Select(name => System.IO.Path.Combine(folder, name))
                .FirstOrDefault(Directory.Exists);
            return new(folder, RunFile.Read(folder), saved, steps, loss, written, null);
        }
        catch (SafeLlamaException e)
        {
            return new(folder, null, null, 0, null, written, e.Message);
        }
    }
}
