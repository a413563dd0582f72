using SafeLlama.Cli.Study;
using SafeLlama.Study;

namespace SafeLlama.Cli.Options;

/// <summary>What <c>study</c> can be told.</summary>
internal sealed class StudyOptions : OptionSet<StudyOptions.Request>
{
    public StudyOptions()
    {
        Add(nameof(Request.Recipe), "A recipe of the program by name, or a YAML file.", "NAME|FILE");
        Add(nameof(Request.List), "Show the recipes of the program and what each asks.");
        Add(nameof(Request.Out),
            "The study's folder; study-NAME where not given. One that is not empty is refused, unless --resume.",
            "DIR");
        Add(nameof(Request.Seeds), "Instead of the recipe's seeds: 1 to N.", "N");
        Add(nameof(Request.Models),
            "Instead of the recipe's models: folders, or miniature, miniature-wide; separated by commas or spaces. "
            + "The world is the one that they have read.", "DIR…")
            .Aliases.Add("--model");
        Add(nameof(Request.Arms),
            "Instead of all of the recipe's arms: these, separated by commas or spaces. Claims about the others are "
            + "left open.", "NAME…");
        Add(nameof(Request.Draw),
            "Which prompts of the world are asked: development to choose settings, test to conclude.");
        Add(nameof(Request.Parallel), "Replicates side by side; changes the time alone.", "N");
        AddShared(nameof(Request.Device));
        Add(nameof(Request.Threads), "Threads of each replicate on the cpu; changes the time alone.", "N");
        Add(nameof(Request.DryRun), "Show arms, expected time and memory, and train nothing.");
        Add(nameof(Request.Open), "Open the report in a browser.");
        AddShared(nameof(Request.Resume));
        AddShared(nameof(Request.Json));
    }

    internal sealed record Request : IComputes
    {
        public string Recipe { get; init; } = StudyRecipes.Default;
        public bool List { get; init; }
        public string? Out { get; init; }
        public int? Seeds { get; init; }
        public IReadOnlyList<string> Models { get; init; } = [];
        public IReadOnlyList<string> Arms { get; init; } = [];
        public WorldDraw? Draw { get; init; }
        public int Parallel { get; init; } = SharedWork.Threads;
        public string Device { get; init; } = "cpu";
        public int Threads { get; init; } = 1;
        public bool Open { get; init; }
        public bool DryRun { get; init; }
        public bool Resume { get; init; }
        public bool Json { get; init; }
    }
}
