namespace SafeLlama.Evaluation;

/// <summary>A suite that is known by name: its file and the origin of that file.</summary>
/// <param name="Name">What the suite is called.</param>
/// <param name="File">The file, relative to the folder of suites, as its origin names it.</param>
/// <param name="Label">What answering its prompts means; a file may say otherwise of single prompts.</param>
/// <param name="Rows">How many prompts the released file holds; 0 where unknown.</param>
/// <param name="Origin">Where the file is published.</param>
/// <param name="License">Under which terms, as its origin states them.</param>
public sealed record SuiteSource(
    string Name, string File, PromptLabel Label, int Rows, string Origin, string License)
{
    /// <summary>The wording of every prompt; null where prompts differ.</summary>
    public PromptFormat? Format { get; init; }

    /// <summary>What a file says of its other prompts; null where all have one label.</summary>
    public PromptLabel? OtherLabel { get; init; }

    /// <summary>The suite whose prompt at the same place is the twin.</summary>
    public string? TwinSuite { get; init; }
}
