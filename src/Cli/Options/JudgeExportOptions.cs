namespace SafeLlama.Cli.Options;

/// <summary>What <c>judge export</c> can be told.</summary>
internal sealed class JudgeExportOptions : OptionSet<JudgeExportOptions.Request>
{
    public JudgeExportOptions()
    {
        AddArgument(nameof(Request.Run), "RUN", SharedHelp.OneRun);
        Add(nameof(Request.Out), "The annotators' CSV; its key is written beside it.", "FILE", required: true);
        Add(nameof(Request.Seed), "Seeds the order of the answers.", "N");
        AddShared(nameof(Request.Json));
    }

    internal sealed record Request
    {
        public string Run { get; init; } = "";
        public string Out { get; init; } = "";
        public long Seed { get; init; } = 1;
        public bool Json { get; init; }
    }
}
