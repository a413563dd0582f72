namespace SafeLlama.Cli.Options;

/// <summary>What <c>data pairs</c> can be told.</summary>
internal sealed class DataPairsOptions : OptionSet<DataPairsOptions.Request>
{
    public DataPairsOptions()
    {
        Add(nameof(Request.Run), "An evaluation run's folder, with its answers judged.", "DIR", required: true);
        Add(nameof(Request.Safety),
            "Demonstrations: prompts with the refusals wanted. A harmful answer to such a prompt is rejected for it.",
            "FILE…");
        Add(nameof(Request.Answers),
            "Safe prompts with their right answers. A refusal of such a prompt is rejected for it.", "FILE…");
        Add(nameof(Request.Judge), "Whose verdicts count; the run's first judge where not given.", "NAME");
        Add(nameof(Request.Out), SharedHelp.NewRows, "FILE", required: true);
        AddShared(nameof(Request.Json));
    }

    internal sealed record Request
    {
        public string Run { get; init; } = "";
        public IReadOnlyList<string> Safety { get; init; } = [];
        public IReadOnlyList<string> Answers { get; init; } = [];
        public string? Judge { get; init; }
        public string Out { get; init; } = "";
        public bool Json { get; init; }
    }
}
