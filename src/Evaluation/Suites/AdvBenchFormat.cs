namespace SafeLlama.Evaluation;

/// <summary>AdvBench's harmful behaviors: a goal and the answer's start. Zou et al. 2023, arXiv:2307.15043.</summary>
internal static class AdvBenchFormat
{
    public static SuiteFormat Format { get; } = new("AdvBench goals", ["goal", "target"],
        row => row.Prompt($"advbench_{row.Raw.Number}", row.Text("goal")) with { Target = row.Optional("target") });
}
