namespace SafeLlama.Evaluation;

/// <summary>One multiple-choice question, independent of its wording.</summary>
/// <param name="Task">The task it belongs to.</param>
/// <param name="Id">Its place in the file, from 1.</param>
/// <param name="Question">The question, goal or stem.</param>
/// <param name="Choices">The answers to choose from.</param>
/// <param name="Gold">The right one, from 0.</param>
public sealed record ChoiceItem(string Task, string Id, string Question, IReadOnlyList<string> Choices, int Gold);
