using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Evaluation;

/// <summary>What a file of pairs was built from, beside it: enough to build it again.</summary>
/// <param name="Run">The evaluation run's folder.</param>
/// <param name="Model">The identity of the model that answered.</param>
/// <param name="Judge">The hash of the judge whose verdicts chose the answers.</param>
/// <param name="Inputs">SHA-256 of the files of right answers, by path.</param>
/// <param name="Counts">What became of every answer.</param>
public sealed record PairsManifest(
    string Run, string Model, string Judge, IReadOnlyDictionary<string, string> Inputs, PairCounts Counts)
{
    /// <summary>Writes pairs and, beside them, this.</summary>
    /// <returns>The manifest's file.</returns>
    /// <exception cref="SafeLlamaException">A file exists, or cannot be written.</exception>
    public string Write(string path, IReadOnlyList<PreferenceRow> rows)
    {
        var manifest = Path.ChangeExtension(path, ".manifest.json");
        if (File.Exists(manifest))
        {
            throw SafeLlamaException.Usage($"{manifest}: exists, and nothing is overwritten.", "name another `Out`");
        }

        PreferenceWriter.Write(path, rows);
        OutputFile.WriteText(manifest, JsonSerializer.Serialize(this, EvaluationJson.Document) + "\n");
        return manifest;
    }
}
