namespace SafeLlama.Cli.Options;

/// <summary>What <c>compare</c> can be told.</summary>
internal sealed class CompareOptions : OptionSet<CompareOptions.Request>
{
    public CompareOptions()
    {
        AddArgument(nameof(Request.Runs), "RUN…", "Run folders, the baseline first.");
        Add(nameof(Request.Out),
            "Where comparison.json, .md and .csv go. A folder that is not empty is refused.", "DIR");
        Add(nameof(Request.All), "Show every metric, after which comes the headline. Its rows have a difference with "
            + "limits and no p, since they are views of what the headline tests once.");
        Add(nameof(Request.Open), "Open comparison.html of --out with the browser, or with what xdg-open names.");
        AddShared(nameof(Request.Seed));
        AddShared(nameof(Request.Json));
    }

    internal sealed record Request
    {
        public IReadOnlyList<string> Runs { get; init; } = [];
        public string? Out { get; init; }
        public bool All { get; init; }
        public bool Open { get; init; }
        public long Seed { get; init; } = 1;
        public bool Json { get; init; }
    }
}
