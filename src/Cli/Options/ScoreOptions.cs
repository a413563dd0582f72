using SafeLlama.Model;

namespace SafeLlama.Cli.Options;

/// <summary>What <c>score</c> can be told.</summary>
internal sealed class ScoreOptions : OptionSet<ScoreOptions.Request>
{
    public ScoreOptions()
    {
        AddShared(nameof(Request.Model), required: true);
        AddShared(nameof(Request.Adapter));
        AddShared(nameof(Request.Load));
        AddShared(nameof(Request.Nested));
        Add(nameof(Request.Text), "Score this text.", "TEXT", isText: true);
        Add(nameof(Request.File), "Score the text of a UTF-8 file.", "FILE");
        Add(nameof(Request.Tokens),
            "Score token ids from a file, separated by spaces, commas or line breaks; nothing is put before them.",
            "FILE");
        AddShared(nameof(Request.MaxLength));
        AddShared(nameof(Request.Device));
        AddShared(nameof(Request.Threads));
        AddShared(nameof(Request.Json));
    }

    internal sealed record Request : IComputes
    {
        public string Model { get; init; } = "";
        public string? Adapter { get; init; }
        public LoadAs Load { get; init; }
        public bool Nested { get; init; }
        public string? Text { get; init; }
        public string? File { get; init; }
        public string? Tokens { get; init; }
        public int MaxLength { get; init; }
        public string Device { get; init; } = "cpu";
        public int Threads { get; init; } = Environment.ProcessorCount;
        public bool Json { get; init; }
    }
}
