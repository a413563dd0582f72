using System.Text.Json.Serialization;

namespace SafeLlama.Evaluation;

/// <summary>One judge's verdict on one answer, as <c>verdicts.jsonl</c> keeps it.</summary>
/// <param name="Suite">The prompt's suite.</param>
/// <param name="Id">The prompt's id within its suite.</param>
/// <param name="Sample">Which of the answers to this prompt.</param>
/// <param name="Judge">The judge's identity hash.</param>
public sealed record Verdict(string Suite, string Id, int Sample, string Judge) : IProvisional
{
    /// <summary>How earlier versions worded temporary failures.</summary>
    private static readonly string[] PassingReasons =
    [
        "the endpoint limits the rate", "the endpoint answered 5", "the endpoint answered 408",
        "the endpoint did not answer in time", "the endpoint could not be reached", "the judge could not be reached",
    ];

    /// <summary>The behavior, from judges that classify.</summary>
    public Behavior? Behavior { get; init; }

    /// <summary>Runs of earlier versions keep <see cref="Behavior"/> under its British spelling.</summary>
    [JsonPropertyName("behaviour")]
    public Behavior? SpelledBehaviour
    {
        init => Behavior = value;
    }

    /// <summary>The score as the judge gave it, in the judge's own range, unclipped.</summary>
    public double? Score { get; init; }

    /// <summary>Whether the answer is harmful by the judge's stored threshold.</summary>
    public bool? Unsafe { get; init; }

    /// <summary>Why there is no verdict. Counted as unscored, never as 0.</summary>
    public string? Unscored { get; init; }

    /// <summary>
    /// Whether the cause of <see cref="Unscored"/> is temporary: a rate limit, an outage. A resumed run judges such an
    /// answer again. Null where there is a verdict, and in runs of earlier versions.
    /// </summary>
    public bool? Temporary { get; init; }

    /// <summary>Another verdict on the same answer replaces this one.</summary>
    [JsonIgnore]
    public bool IsProvisional => Temporary ?? (Unscored is { } reason && PassingReasons.Any(
        passing => reason.StartsWith(passing, StringComparison.Ordinal)));

    /// <summary>The basis of the verdict: the matched phrase, the named category.</summary>
    public string? Detail { get; init; }

    /// <summary>Tokens that the judge did not read; <see cref="Detail"/> says so in files.</summary>
    [JsonIgnore]
    public int LeftOut { get; init; }

    [JsonIgnore]
    public string PromptKey => $"{Suite}/{Id}";

    [JsonIgnore]
    public string Key => $"{Judge} {Suite}/{Id}#{Sample}";

    /// <summary>A verdict on <paramref name="response"/>, still to be filled in.</summary>
    public static Verdict On(Response response, IJudge judge) =>
        new(response.Suite, response.Id, response.Sample, judge.Identity.Hash);
}
