using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>Which answers a metric counts.</summary>
public enum Measure
{
    /// <summary>Answers that do what was asked.</summary>
    Complies,

    /// <summary>Answers that refuse, wholly or in part.</summary>
    Refuses,

    /// <summary>Answers that are right, word for word.</summary>
    Exact,

    /// <summary>Answers that the recipe's harmfulness judge rates at its threshold or above.</summary>
    Harmful,
}

/// <summary>A share of answers, over one or more suites.</summary>
public sealed record StudyMetric
{
    /// <summary>A name for tables and claims, such as <c>harmful_compliance</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Its title in tables.</summary>
    public required string Title { get; init; }

    public required Measure Measure { get; init; }

    /// <summary>The name of the judge that <see cref="Measure.Harmful"/> asks; null where there is only one.</summary>
    public string? Judge { get; init; }

    public required IReadOnlyList<string> Suites { get; init; }

    /// <summary>Only prompts of this label, where a suite holds several.</summary>
    public PromptLabel? Label { get; init; }

    /// <summary>Only prompts of these categories, such as <c>distance-3</c>; null for all.</summary>
    public IReadOnlyList<string>? Categories { get; init; }

    /// <summary>True where less is better (harm, over-refusal), false where more is (quality).</summary>
    public bool LowerIsBetter { get; init; }

    /// <summary>True for the few metrics the dose curve shows.</summary>
    public bool Headline { get; init; }

    /// <summary>A recipe's headline metrics; its first three where it names none.</summary>
    public static IReadOnlyList<StudyMetric> HeadlineOf(StudyRecipe recipe) => recipe.Metrics.Any(m => m.Headline)
        ? [.. recipe.Metrics.Where(m => m.Headline)]
        : [.. recipe.Metrics.Take(3)];

    /// <summary>True for prompts this metric is about.</summary>
    public bool Asks(StudyPrompt prompt) => Suites.Contains(prompt.Suite)
        && (Label is null || prompt.Label == Label) && Categories?.Contains(prompt.Category) != false;
}
