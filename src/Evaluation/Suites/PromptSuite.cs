namespace SafeLlama.Evaluation;

/// <summary>A set of prompts read from one file.</summary>
/// <param name="Name">The suite's name, such as <c>xstest</c>.</param>
/// <param name="Path">The file it was read from.</param>
/// <param name="Sha256">Hash of that file.</param>
/// <param name="Prompts">In the file's order.</param>
/// <param name="Notes">Remarks for the report, such as duplicates and assumptions.</param>
public sealed record PromptSuite(
    string Name, string Path, string Sha256, IReadOnlyList<SuitePrompt> Prompts, IReadOnlyList<string> Notes);
