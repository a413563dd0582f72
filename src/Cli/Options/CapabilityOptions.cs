using SafeLlama.Evaluation;

namespace SafeLlama.Cli.Options;

/// <summary>The options of <c>evaluate</c> for capability tests.</summary>
internal sealed class CapabilityOptions : OptionSet<CapabilityOptions.Request>
{
    public CapabilityOptions()
    {
        Add(nameof(Request.Capability),
            $"Multiple-choice tasks: {string.Join(", ", ChoiceTask.Known.Select(t => t.Name))}.", "NAME…");
        Add(nameof(Request.Shots), "Examples before each question.", "K");
        Add(nameof(Request.ShotsFile), "Where the examples come from.", "FILE");
        Add(nameof(Request.Perplexity), "A file of held-out text.", "FILE");
    }

    internal sealed record Request
    {
        public IReadOnlyList<string> Capability { get; init; } = [];
        public int Shots { get; init; }
        public string? ShotsFile { get; init; }
        public string? Perplexity { get; init; }

        /// <summary>The tasks named, and <c>text</c> where held-out text is scored.</summary>
        public IReadOnlyList<string> Tasks => Perplexity is null ? Capability : [.. Capability, "text"];
    }
}
