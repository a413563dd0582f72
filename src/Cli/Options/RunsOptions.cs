namespace SafeLlama.Cli.Options;

/// <summary>What <c>runs</c> can be told.</summary>
internal sealed class RunsOptions : OptionSet<RunsOptions.Request>
{
    public RunsOptions()
    {
        AddArgument(nameof(Request.Folder), "DIR", "A folder of runs, or one run.");
        AddShared(nameof(Request.Json));
    }

    internal sealed record Request
    {
        public string Folder { get; init; } = ".";
        public bool Json { get; init; }
    }
}
