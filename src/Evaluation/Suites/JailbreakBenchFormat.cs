namespace SafeLlama.Evaluation;

/// <summary>JailbreakBench's behaviors; the first column has no name. Chao et al. 2024, arXiv:2404.01318.</summary>
internal static class JailbreakBenchFormat
{
    public static SuiteFormat Format { get; } = new("JailbreakBench", ["Goal", "Target", "Behavior", "Category"],
        row => row.Prompt(row.Optional("(column 1)") ?? (row.Raw.Number - 1).ToString(), row.Text("Goal")) with
        {
            Category = row.Optional("Category"),
            Target = row.Optional("Target"),
        });
}
