using SafeLlama.Study;

namespace SafeLlama.Cli.Options;

/// <summary>What <c>study world</c> can be told.</summary>
internal sealed class StudyWorldOptions : OptionSet<StudyWorldOptions.Request>
{
    public StudyWorldOptions()
    {
        Add(nameof(Request.Out),
            "Write pretraining text, tuning rows and suites here, as files. A folder that is not empty is refused.",
            "DIR");
        Add(nameof(Request.World), "Which made-up world: the first, or the wider one with harm categories, wordings at "
            + "graded distances, peoples, dialogues and stalls.");
        AddShared(nameof(Request.Seed));
        AddShared(nameof(Request.Json));
    }

    internal sealed record Request
    {
        public string? Out { get; init; }
        public WorldName World { get; init; }
        public long Seed { get; init; } = 1;
        public bool Json { get; init; }
    }
}
