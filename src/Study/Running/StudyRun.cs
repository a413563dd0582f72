namespace SafeLlama.Study;

/// <summary>One finished replicate.</summary>
/// <param name="Replicate">Which one.</param>
/// <param name="Folder">Where its files are.</param>
/// <param name="Training">The summary of training.</param>
/// <param name="Answers">Its graded answers.</param>
/// <param name="Seconds">Time spent in this run, without earlier work.</param>
public sealed record StudyReplicate(
    Replicate Replicate, string Folder, TrainingSummary Training, IReadOnlyList<GradedAnswer> Answers, double Seconds);

/// <summary>A finished study.</summary>
/// <param name="Results">Tables and claims.</param>
/// <param name="Replicates">Every replicate, in the order of the jobs.</param>
/// <param name="Lesson">Details of one tuned model; null where none was trained.</param>
public sealed record StudyRun(StudyResults Results, IReadOnlyList<StudyReplicate> Replicates, StudyLesson? Lesson)
{
    /// <summary>The first model with the adapters of its first seed; null where no page could carry it.</summary>
    public PageModel? Live { get; init; }

    /// <summary>The refusal directions of the arms; null where they were not read.</summary>
    public StudyDirections? Directions { get; init; }
}
