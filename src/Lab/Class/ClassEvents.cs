namespace SafeLlama.Lab;

/// <summary>What the page is told while a student's seed is trained.</summary>
/// <param name="Kind">The kind of event, which names its other fields.</param>
internal record ClassEvent(string Kind);

/// <param name="Stage">"training", "answering" or "done".</param>
/// <param name="Done">Steps or prompts done.</param>
internal sealed record ClassProgress(string Arm, string Stage, int Done, int Total) : ClassEvent("progress");

/// <param name="Name">The file's name.</param>
/// <param name="Text">Its content.</param>
internal sealed record ClassSaved(string Name, string Text) : ClassEvent("result");
