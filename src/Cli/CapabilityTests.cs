using System.Text.Json;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Evaluation;
using SafeLlama.Inference;

namespace SafeLlama.Cli;

/// <summary>Runs the capability tests of a model.</summary>
internal static class CapabilityTests
{
    /// <summary>Refuses, before any work and before any folder, tests that cannot be run.</summary>
    /// <exception cref="SafeLlamaException">A model, a task or a file is missing, or a file is damaged.</exception>
    public static void RequireFit(CapabilityOptions.Request asked, bool hasModel, string? files)
    {
        if (asked.Tasks.Count > 0 && !hasModel)
        {
            throw SafeLlamaException.Usage("--capability and --perplexity need --model.");
        }

        foreach (var name in asked.Capability.Distinct())
        {
            ChoiceFile.Read(ChoiceTask.Find(name, files).Path, name);
            if (asked.Shots > 0)
            {
                ChoiceFile.Read(ShotsFile(asked), name);
            }
        }

        if (asked.Perplexity is { } text)
        {
            RowFile.Read(text);
        }
    }

    /// <summary>
    /// Scores into <c>capability.jsonl</c> and writes <c>capability.json</c>; null where nothing is asked.
    /// </summary>
    public static CapabilityResult? Run(
        CapabilityOptions.Request asked, LlamaSession? model, string folder, string? files, long seed,
        CancellationToken cancellation)
    {
        if (asked.Tasks.Count == 0)
        {
            return null;
        }

        using var likelihood = new EngineLikelihood(
            model ?? throw SafeLlamaException.Usage("--capability and --perplexity need --model."));
        var shots = asked.Shots;
        Begin(folder, likelihood.Identity, shots, asked.ShotsFile, seed);
        var results = new List<MultipleChoice.Result>();
        using var store = RecordStore.Open<ChoiceRecord>(Path.Combine(folder, "capability.jsonl"));
        foreach (var name in asked.Capability.Distinct())
        {
            var (task, path) = ChoiceTask.Find(name, files);
            var items = ChoiceFile.Read(path, name);
            var examples = shots == 0 ? [] : FewShot.Draw(
                ChoiceFile.Read(ShotsFile(asked), name), items, shots, seed);
            Terminal.Note($"{name}: {items.Count} questions, {items.Count(i => store.Contains($"{name}/{i.Id}"))} "
                + "already scored");
            results.Add(MultipleChoice.Run(task, items, likelihood, store, examples, cancellation));
        }

        var perplexity = asked.Perplexity is { } text
            ? Perplexity.Of(
                [.. RowFile.Read(text).Rows.Select(raw => new SuiteRow(raw, text, Source(text)).Text("text"))],
                likelihood, seed, cancellation)
            : null;
        var result = new CapabilityResult(likelihood.Identity, shots, results, perplexity);
        OutputFile.WriteText(
            Path.Combine(folder, "capability.json"),
            JsonSerializer.Serialize(result, EvaluationJson.Document) + "\n");
        return result;
    }

    private static string ShotsFile(CapabilityOptions.Request asked) => asked.ShotsFile
        ?? throw SafeLlamaException.Usage("--shots: name the examples with --shots-file.");

    /// <summary>The rows that gates ask of.</summary>
    public static IReadOnlyList<MetricRow> Rows(CapabilityResult? result) =>
        result is null ? [] : CapabilityRows.Of(result.Tasks, result.Perplexity);

    /// <summary>A table for people.</summary>
    public static IEnumerable<string> Lines(CapabilityResult result)
    {
        foreach (var line in MetricView.Table(
            ["task", "acc", "95% interval", "acc_norm", "95% interval", "n", "shots"],
            result.Tasks.Select(r => (string[])
            [
                r.Task, SummaryMarkdown.Number(r.Accuracy.Value), SummaryMarkdown.Limits(r.Accuracy),
                SummaryMarkdown.Number(r.AccuracyNormalized.Value), SummaryMarkdown.Limits(r.AccuracyNormalized),
                $"{r.N}", $"{r.Shots}",
            ])))
        {
            yield return line;
        }

        if (result.Perplexity is { } perplexity)
        {
            yield return $"perplexity {perplexity.Value.Value:0.000} {SummaryMarkdown.Limits(perplexity.Value)}, "
                + $"{perplexity.BitsPerByte:0.000} bits per byte, {perplexity.Tokens} tokens of {perplexity.Texts} "
                + "texts; lower is better";
        }
    }

    private static SuiteSource Source(string path) => new("held-out text", path, PromptLabel.Benign, 0, "", "");

    private static string? HashOf(string? examples, int shots) => shots == 0 ? null
        : !File.Exists(examples) ? throw SafeLlamaException.Usage("--shots: name a file of examples with --shots-file.")
        : ContentHash.OfFile(examples);

    /// <summary>Scores of one model, with the same examples, belong together; others are refused.</summary>
    private static void Begin(string folder, string model, int shots, string? examples, long seed)
    {
        var path = Path.Combine(folder, EvaluationRun.CapabilityFile);
        var text = JsonSerializer.Serialize(
            new CapabilityRun(model, shots, HashOf(examples, shots), seed),
            EvaluationJson.Document) + "\n";
        if (!File.Exists(path))
        {
            OutputFile.WriteText(path, text);
        }
        else if (File.ReadAllText(path) != text)
        {
            throw SafeLlamaException.Usage(
                $"--resume {folder}: its capability scores were made by another model, or with other examples; name "
                + "another folder.");
        }
    }
}
