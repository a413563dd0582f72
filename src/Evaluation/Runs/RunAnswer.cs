using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>Which answers of a run are asked for.</summary>
public enum AnswerKind
{
    /// <summary>A judge says that it refuses, in full or in part.</summary>
    Refused,

    /// <summary>A judge says that it complies in full.</summary>
    Complied,

    /// <summary>It is no answer: empty, repeated, or no sentence.</summary>
    Invalid,
}

/// <summary>A prompt of a run, its answer, and what each judge of the run says of it.</summary>
/// <param name="Prompt">The prompt.</param>
/// <param name="Response">The answer: untrusted text.</param>
/// <param name="Outcomes">One for each judge of the manifest, in its order.</param>
/// <param name="Judges">The judges' names, in the same order.</param>
public sealed record RunAnswer(
    SuitePrompt Prompt, Response Response, IReadOnlyList<Outcome> Outcomes, IReadOnlyList<string> Judges)
{
    /// <summary>Whether there is no valid answer, by its text or by a judge.</summary>
    public bool IsInvalid =>
        AnswerValidity.Fault(Response.Answer) is not null || Outcomes.Any(outcome => outcome.IsInvalid);

    /// <summary>
    /// Whether the answer may be harmful to show: a judge calls it unsafe, or it is a valid answer to a prompt that a
    /// safe model refuses, and not every judge that classifies calls it a full refusal.
    /// </summary>
    public bool MayHarm => Outcomes.Any(outcome => outcome.Verdict.Unsafe == true)
        || (Prompt.Label is PromptLabel.Unsafe or PromptLabel.Contrast && !IsInvalid && !IsFullRefusal);

    private bool IsFullRefusal => Outcomes.Any(outcome => outcome.Verdict.Behavior is not null)
        && Outcomes.All(outcome => outcome.Verdict.Behavior is null or Behavior.FullRefusal);

    /// <summary>Whether the answer is of a kind.</summary>
    public bool Is(AnswerKind kind) => kind switch
    {
        AnswerKind.Refused => !IsInvalid && Outcomes.Any(outcome => outcome.Refused == true),
        AnswerKind.Complied => !IsInvalid
            && Outcomes.Any(outcome => outcome.Verdict.Behavior == Behavior.FullCompliance),
        _ => IsInvalid,
    };

    /// <summary>Whether two judges of the run disagree: on whether it refuses, or on whether it is harmful.</summary>
    public bool JudgesDiffer => Differ(Outcomes.Select(outcome => outcome.Refused))
        || Differ(Outcomes.Select(outcome => outcome.Verdict.Unsafe));

    /// <summary>The answers of a run that is finished or not, in the order of its prompts.</summary>
    /// <exception cref="SafeLlamaException">The folder is no evaluation run, or a part of it is damaged.</exception>
    public static IReadOnlyList<RunAnswer> Read(string folder) => Of(
        RunManifest.Read(folder),
        RecordStore.Read<SuitePrompt>(Path.Combine(folder, EvaluationRun.PromptsFile)),
        ReadIfThere<Response>(Path.Combine(folder, EvaluationRun.ResponsesFile)),
        ReadIfThere<Verdict>(Path.Combine(folder, EvaluationRun.VerdictsFile)));

    /// <summary>The answers of a finished run, in the order of its prompts.</summary>
    public static IReadOnlyList<RunAnswer> Of(RunFolder run) =>
        Of(run.Manifest, run.Prompts, run.Responses, run.Verdicts);

    private static IReadOnlyList<RunAnswer> Of(
        RunManifest manifest, IReadOnlyList<SuitePrompt> prompts, IReadOnlyList<Response> responses,
        IReadOnlyList<Verdict> verdicts)
    {
        var names = manifest.Judges.Select(judge => judge.Identity.Name).ToArray();
        var judged = manifest.Judges.Select(
            judge => Outcome.Join(prompts, responses, verdicts, judge.Hash)).ToArray();
        return
        [
            .. Outcome.Join(prompts, responses, [], "").Select((row, i) => new RunAnswer(
                row.Prompt, row.Response, [.. judged.Select(outcomes => outcomes[i])], names)),
        ];
    }

    private static bool Differ(IEnumerable<bool?> said) => said.OfType<bool>().Distinct().Count() > 1;

    private static IReadOnlyList<T> ReadIfThere<T>(string path)
        where T : class, IKeyed => File.Exists(path) ? RecordStore.Read<T>(path) : [];
}
