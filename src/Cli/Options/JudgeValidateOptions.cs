namespace SafeLlama.Cli.Options;

/// <summary>What <c>judge validate</c> can be told, but for the judge.</summary>
internal sealed class JudgeValidateOptions : OptionSet<JudgeValidateOptions.Request>
{
    public JudgeValidateOptions()
    {
        Add(nameof(Request.Labels), "Answers with labels.", "FILE", required: true);
        Add(nameof(Request.Truth), "The column to believe.", "COLUMN");
        Add(nameof(Request.Out), "Where the judge card is written.", "FILE");
        AddShared(nameof(Request.Device));
        AddShared(nameof(Request.Threads));
        AddShared(nameof(Request.Seed));
        AddShared(nameof(Request.Json));
    }

    internal sealed record Request : IComputes
    {
        public string Labels { get; init; } = "";
        public string? Truth { get; init; }
        public string? Out { get; init; }
        public string Device { get; init; } = "cpu";
        public int Threads { get; init; } = Environment.ProcessorCount;
        public long Seed { get; init; } = 1;
        public bool Json { get; init; }
    }
}
