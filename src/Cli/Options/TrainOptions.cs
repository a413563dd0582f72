namespace SafeLlama.Cli.Options;

/// <summary>What <c>train</c> can be told beside the run itself, which is <see cref="FineTuneOptions"/>.</summary>
internal sealed class TrainOptions : OptionSet<TrainOptions.Request>
{
    public TrainOptions()
    {
        Add(nameof(Request.Recipe), "A YAML file of these settings, by name; a flag wins over it.", "FILE");
        Add(nameof(Request.Profile), "Training profile: settings of the authors' repository or of their paper, below "
            + "recipe and flags.", choices: ["repo", "paper"]);
        Add(nameof(Request.Out), "Where the run is written: run.json, metrics.jsonl, checkpoints/, adapter/ or model/; "
            + "needed but with --dry-run. A folder that is not empty is refused, unless --resume.", "DIR");
        AddShared(nameof(Request.Resume));
        Add(nameof(Request.DryRun),
            "Show the resolved plan, what it matches, the memory it needs, and what other choices would change; write "
            + "nothing.");
        Add(nameof(Request.ProfileSteps),
            "Print where the time of so many steps goes, op by op, once the run has settled; 0 does not.", "STEPS");
        AddShared(nameof(Request.Json));
    }

    internal sealed record Request
    {
        public string? Recipe { get; init; }
        public string? Profile { get; init; }
        public string? Out { get; init; }
        public bool Resume { get; init; }
        public bool DryRun { get; init; }
        public int ProfileSteps { get; init; }
        public bool Json { get; init; }
    }
}
