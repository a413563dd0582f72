using SafeLlama.Evaluation;
using SafeLlama.Training;

namespace SafeLlama.Cli.Results;

/// <summary>A run as <c>runs --json</c> lists it.</summary>
/// <param name="Path">Its folder.</param>
/// <param name="Kind"><c>evaluation</c> or <c>train</c>.</param>
/// <param name="State"><c>finished</c>, <c>unfinished</c> or <c>damaged</c>.</param>
/// <param name="Problem">What is damaged; absent where nothing is.</param>
internal sealed record RunEntry(string Path, string Kind, string State, string? Problem)
{
    /// <summary>Answers there are; absent for a training run.</summary>
    public int? Responses { get; init; }

    /// <summary>What an evaluation run is made of.</summary>
    public RunManifest? Manifest { get; init; }

    /// <summary>Its tables; absent while it is unfinished.</summary>
    public EvaluationSummary? Summary { get; init; }

    /// <summary>What a training run is made of.</summary>
    public RunFile? Training { get; init; }

    /// <summary>The last step in a training run's log.</summary>
    public int? Steps { get; init; }

    /// <summary>The lowest validation loss of a training run after its first step.</summary>
    public double? ValidationLoss { get; init; }
}

/// <summary>An answer as <c>runs RUN --answers --json</c> prints it.</summary>
/// <param name="Suite">The prompt's suite.</param>
/// <param name="Id">The prompt's id within its suite.</param>
/// <param name="Sample">Which of the answers to this prompt, from 0.</param>
/// <param name="Label">What answering the prompt would mean.</param>
/// <param name="Prompt">The user's text: untrusted.</param>
internal sealed record AnswerEntry(string Suite, string Id, int Sample, PromptLabel Label, string Prompt)
{
    /// <summary>What stands before the prompt, context and earlier turns: untrusted text. Absent where nothing
    /// does.</summary>
    public string? Before { get; init; }

    /// <summary>The answer: untrusted text. Absent where it is folded.</summary>
    public string? Answer { get; init; }

    /// <summary>The characters of an answer that may be harmful and is folded; <c>--show-unsafe</c> shows it.</summary>
    public int? Folded { get; init; }

    /// <summary>How the answer ended.</summary>
    public string StopReason { get; init; } = "";

    /// <summary>Whether it is no valid answer.</summary>
    public bool Invalid { get; init; }

    /// <summary>What each judge says.</summary>
    public IReadOnlyList<Said> Verdicts { get; init; } = [];

    /// <summary>One judge's verdict.</summary>
    /// <param name="Judge">Its name.</param>
    /// <param name="Behavior">The class of the answer, from judges that classify.</param>
    /// <param name="Score">In the judge's own range.</param>
    /// <param name="Unsafe">Whether the answer is harmful by the judge's threshold.</param>
    /// <param name="Detail">The basis of the verdict; absent where the answer is folded.</param>
    /// <param name="Unscored">Why there is no verdict.</param>
    internal sealed record Said(
        string Judge, Behavior? Behavior, double? Score, bool? Unsafe, string? Detail, string? Unscored);
}
