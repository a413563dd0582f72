namespace SafeLlama.Lab;

/// <summary>What a check found.</summary>
/// <param name="Solved">Whether the answer is right.</param>
/// <param name="Message">What was computed, or what is still missing.</param>
internal sealed record ExerciseVerdict(bool Solved, string Message);

/// <summary>A task of the class: where it is worked on, how an answer is judged, and help in three grades.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Room">The room that it opens.</param>
/// <param name="Task">What to do and what to type.</param>
/// <param name="Unit">What the answer is, such as <c>number</c>.</param>
internal sealed record Exercise(int Number, string Title, LabRoom Room, string Task, string Unit)
{
    /// <summary>From a nudge to nearly the answer.</summary>
    public required IReadOnlyList<string> Hints { get; init; }

    /// <summary>For teachers: how it is solved.</summary>
    public required string Reveal { get; init; }

    /// <summary>For teachers: minutes that it takes.</summary>
    public required int Minutes { get; init; }

    /// <summary>Judges an answer by computing what it is about.</summary>
    public required Func<ExerciseBench, double[], ExerciseVerdict> Check { get; init; }

    /// <summary>How many numbers the answer has.</summary>
    public int Numbers { get; init; } = 1;
}
