namespace SafeLlama.Cli.Options;

/// <summary>What <c>judge import</c> can be told.</summary>
internal sealed class JudgeImportOptions : OptionSet<JudgeImportOptions.Request>
{
    public JudgeImportOptions()
    {
        AddArgument(nameof(Request.Run), "RUN", SharedHelp.OneRun);
        Add(nameof(Request.Key), "The key that was exported.", "FILE", required: true);
        Add(nameof(Request.Labels), "The annotators' CSV files, two or more.", "FILE FILE…", required: true);
        Add(nameof(Request.Adjudicated), "Final labels where they differ.", "FILE");
        Add(nameof(Request.Seed), "Seeds the bootstrap of the intervals.", "N");
        AddShared(nameof(Request.Json));
    }

    internal sealed record Request
    {
        public string Run { get; init; } = "";
        public string Key { get; init; } = "";
        public IReadOnlyList<string> Labels { get; init; } = [];
        public string? Adjudicated { get; init; }
        public long Seed { get; init; } = 1;
        public bool Json { get; init; }
    }
}
