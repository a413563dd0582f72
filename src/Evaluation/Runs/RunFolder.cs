using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>A finished run, read from its folder.</summary>
public sealed record RunFolder(
    string Path,
    RunManifest Manifest,
    EvaluationSummary Summary,
    IReadOnlyList<SuitePrompt> Prompts,
    IReadOnlyList<Response> Responses,
    IReadOnlyList<Verdict> Verdicts)
{
    /// <summary>The name of the run in tables where another run has the same folder name.</summary>
    public string? Label { get; init; }

    /// <summary>The name of the run in tables: its folder's name, unless it has a label.</summary>
    public string Name => Label ?? System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(
        System.IO.Path.GetFullPath(Path)));

    /// <exception cref="SafeLlamaException">
    /// The folder is not an evaluation run, or a part of it is damaged.
    /// </exception>
    public static RunFolder Open(string folder) => new(
        folder,
        RunManifest.Read(folder),
        EvaluationSummary.Read(folder),
        RecordStore.Read<SuitePrompt>(System.IO.Path.Combine(folder, EvaluationRun.PromptsFile)),
        RecordStore.Read<Response>(System.IO.Path.Combine(folder, EvaluationRun.ResponsesFile)),
        RecordStore.Read<Verdict>(System.IO.Path.Combine(folder, EvaluationRun.VerdictsFile)));

    /// <summary>The run, for what speaks of all its prompts.</summary>
    /// <exception cref="SafeLlamaException">
    /// As <see cref="Open"/>; or the run was stopped, and its tables are of the answers it had by then.
    /// </exception>
    public static RunFolder OpenFinished(string folder)
    {
        var run = Open(folder);
        return run.Responses.Count >= run.Manifest.Asked ? run : throw EvaluationSummary.Unfinished(
            $"{folder}: holds {run.Responses.Count} of {run.Manifest.Asked} answers.");
    }

    /// <summary>Every answer with its prompt.</summary>
    public IReadOnlyList<JudgedAnswer> Answers() =>
        [.. Outcomes("").Select(outcome => new JudgedAnswer(outcome.Prompt, outcome.Response))];

    /// <summary>One judge's rows.</summary>
    public IReadOnlyList<Outcome> Outcomes(string judge) => Outcome.Join(Prompts, Responses, Verdicts, judge);
}
