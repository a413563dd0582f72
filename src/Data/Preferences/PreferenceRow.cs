namespace SafeLlama.Data;

/// <summary>A prompt with a wanted answer, an unwanted one, or both, as it was read: text only.</summary>
/// <remarks>Both sides hold the same prompt; what sets them apart is the last answer.</remarks>
/// <param name="Chosen">The prompt with the wanted answer; null where the row has only an unwanted one.</param>
/// <param name="Rejected">The prompt with the unwanted answer; null where the row has only a wanted one.</param>
public sealed record PreferenceRow(TrainingExample? Chosen, TrainingExample? Rejected)
{
    /// <summary>Whether one answer is preferred over another.</summary>
    public bool IsPair => Chosen is not null && Rejected is not null;

    /// <summary>Names the row in reports.</summary>
    public string Id => Any.Id;

    public RowSource Source => Any.Source;

    /// <summary>The text of the wanted answer alone; null where there is none.</summary>
    public string? ChosenAnswer => LastAnswer(Chosen);

    /// <summary>The text of the unwanted answer alone; null where there is none.</summary>
    public string? RejectedAnswer => LastAnswer(Rejected);

    private TrainingExample Any => Chosen ?? Rejected!;

    private static string? LastAnswer(TrainingExample? side) =>
        side is ConversationExample { Messages: [.., var last] } ? last.Content : side?.Answer;
}

/// <summary>Why a row of preferences cannot be learned from, although it is well formed.</summary>
public enum PreferenceSkip
{
    /// <summary>Both answers are the same, so nothing is preferred.</summary>
    EqualAnswers,

    /// <summary>An answer is empty.</summary>
    EmptyAnswer,

    /// <summary>The two conversations differ before their last answers.</summary>
    PromptsDiffer,

    /// <summary>User and assistant do not take turns, or the last turn is not the assistant's.</summary>
    TurnsOutOfOrder,
}
