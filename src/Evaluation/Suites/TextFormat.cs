namespace SafeLlama.Evaluation;

/// <summary>One prompt per line, such as MaliciousInstruct. Huang et al. 2023, arXiv:2310.06987.</summary>
internal static class TextFormat
{
    public static SuiteFormat Format { get; } = new("lines of text", ["text"],
        row => row.Prompt(row.Raw.Number.ToString(), row.Text("text")));
}
