namespace SafeLlama.Evaluation;

/// <summary>
/// HarmBench's behavior files, and AdvBench in the same columns. Mazeika et al. 2024, arXiv:2402.04249.
/// </summary>
/// <remarks>A contextual behavior carries the text it refers to in <c>ContextString</c>.</remarks>
internal static class HarmBenchFormat
{
    public static SuiteFormat Format { get; } = new("HarmBench behaviors", ["Behavior", "BehaviorID", "ContextString"],
        row => row.Prompt(row.Text("BehaviorID"), row.Text("Behavior")) with
        {
            Category = row.Optional("SemanticCategory") ?? row.Optional("Category"),
            Context = row.Optional("ContextString"),
        });
}
