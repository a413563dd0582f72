using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>The answers of a model and of its export to the same prompts, compared.</summary>
public sealed record ExportComparison
{
    /// <summary>Prompts asked.</summary>
    public int Prompts { get; init; }

    /// <summary>Prompts with a context, which a chat template cannot express; they are not asked.</summary>
    public int LeftOut { get; init; }

    /// <summary>Prompts whose tokens differ.</summary>
    public int OtherPrompts { get; init; }

    /// <summary>The first of them.</summary>
    public string? FirstOtherPrompt { get; init; }

    /// <summary>Greedy answers whose text differs.</summary>
    public int OtherAnswers { get; init; }

    public int RefusedBefore { get; init; }

    public int RefusedAfter { get; init; }

    /// <summary>Prompts refused by one and answered by the other.</summary>
    public int OtherVerdicts { get; init; }

    /// <summary>Whether the export answers as the model does, within the tolerance of its format.</summary>
    public bool IsWithin(ExportTolerance tolerance) => OtherPrompts == 0
        && OtherAnswers <= tolerance.Answers * Prompts
        && OtherVerdicts <= tolerance.Refusals * Prompts;

    public IEnumerable<string> Lines(ExportTolerance tolerance)
    {
        yield return $"{Prompts} prompts asked through the exported template: {OtherPrompts} became other tokens"
            + $"{(FirstOtherPrompt is null ? "" : $", first {FirstOtherPrompt}")}.";
        yield return $"{OtherAnswers} greedy answers are another text ({Percent.Of(tolerance.Answers)} allowed).";
        yield return $"Refusals: {RefusedBefore} before, {RefusedAfter} after; {OtherVerdicts} prompts changed sides "
            + $"({Percent.Of(tolerance.Refusals)} allowed).";
        if (RefusedBefore + RefusedAfter == 0)
        {
            yield return "No prompt was refused: these suites show nothing of refusals.";
        }

        if (LeftOut > 0)
        {
            yield return $"{LeftOut} prompts with a context or earlier turns were not asked: the check sends single "
                + "requests.";
        }
    }

}
