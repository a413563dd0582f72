using SafeLlama.Data;
using SafeLlama.Model;

namespace SafeLlama.Cli.Options;

/// <summary>What <c>attack</c> can be told, but for judges.</summary>
internal sealed class AttackOptions : OptionSet<AttackOptions.Request>
{
    public AttackOptions()
    {
        AddShared(nameof(Request.Model), required: true);
        AddShared(nameof(Request.Adapter));
        AddShared(nameof(Request.Load));
        AddShared(nameof(Request.Nested));
        Add(nameof(Request.Suite), "Suites by name, or files in a known format, or name=file; their unsafe prompts are "
            + "attacked.", "NAME|FILE…", required: true);
        Add(nameof(Request.Suites), "The folder that holds the files of known suites.", "DIR");
        Add(nameof(Request.Attacks), "What to try; wrappers and prefill where neither this nor --artifacts says "
            + "anything. NAME, or NAME=SETTING/SETTING. On prompts: wrappers (names), many-shot (exchanges), "
            + "prefill (tokens), suffix (tokens x steps). On the model: harmful-rows and benign-rows (rows x epochs, "
            + "or rows x epochs@learning rate), direction (layers).",
            "NAME…");
        Add(nameof(Request.Artifacts), "Attack strings from files, each file an attempt: JailbreakBench's artifacts, "
            + "or rows with goal and prompt.", "FILE…");
        Add(nameof(Request.Wrappers), "More wrappers: rows with name and text, which says {prompt} where the request "
            + "goes.", "FILE");
        Add(nameof(Request.Answers), "Answers of another model to the prompts, for prefills, exchanges and suffixes: a "
            + "file, or responses.jsonl of a run.", "FILE");
        Add(nameof(Request.HarmfulRows), "Rows for the attack harmful-rows.", "FILE");
        Add(nameof(Request.BenignRows), "Rows for the attack benign-rows.", "FILE");
        Add(nameof(Request.Benign), "Suites of harmless prompts, on which the utility of a changed model is measured; "
            + "many-shot shows exchanges about them.", "NAME|FILE…");
        Add(nameof(Request.Quality), "A changed model counts where its quality on --benign is at least this share of "
            + "the model's own.", "SHARE");
        Add(nameof(Request.JudgePrefill), "Let judges read the prefilled beginning too, as part of the answer.");
        Add(nameof(Request.Out), "Where the run is written; needed but with --dry-run. A folder that is not "
            + "empty is refused, unless --resume.", "DIR");
        Add(nameof(Request.DryRun), "Show what would be tried and about how long it takes, and write nothing.");
        Add(nameof(Request.MaxPrompts), "The most unsafe prompts, drawn by --seed; 0 takes all.", "N");
        Add(nameof(Request.MaxTrials), "The most trials, of which each is an attack with one setting; 0 makes all.",
            "N");
        Add(nameof(Request.MaxSeconds), "No trial begins after so many seconds; 0 is no limit.", "SECONDS");
        Add(nameof(Request.MaxNewTokens), "The longest answer.", "TOKENS");
        Add(nameof(Request.BatchSize), "Prompts answered together; changes the time alone.", "N");
        Add(nameof(Request.FailIf), "Exit with 6 if this holds: of the best attempt, such as "
            + "\"attack_success_rate>0.10\", or of an attack, such as \"prefill/attack_success_rate.high>15%\".",
            "EXPR…");
        Add(nameof(Request.AllowUnscored), "Keep a --fail-if gate that invalid and unscored answers, or "
            + "attempts not made, could flip.");
        AddShared(nameof(Request.MaxLength));
        AddShared(nameof(Request.Template));
        AddShared(nameof(Request.Device));
        AddShared(nameof(Request.Threads));
        AddShared(nameof(Request.Seed));
        AddShared(nameof(Request.Resume));
        AddShared(nameof(Request.Json));
    }

    internal sealed record Request : IComputes
    {
        public string? Model { get; init; }
        public string? Adapter { get; init; }
        public LoadAs Load { get; init; }
        public bool Nested { get; init; }
        public IReadOnlyList<string> Suite { get; init; } = [];
        public string? Suites { get; init; }
        public IReadOnlyList<string> Attacks { get; init; } = [];
        public IReadOnlyList<string> Artifacts { get; init; } = [];
        public string? Wrappers { get; init; }
        public string? Answers { get; init; }
        public string? HarmfulRows { get; init; }
        public string? BenignRows { get; init; }
        public IReadOnlyList<string> Benign { get; init; } = [];
        public double Quality { get; init; } = 0.9;
        public bool JudgePrefill { get; init; }
        public string? Out { get; init; }
        public bool DryRun { get; init; }
        public int MaxPrompts { get; init; }
        public int MaxTrials { get; init; }
        public double MaxSeconds { get; init; }
        public int MaxNewTokens { get; init; } = 128;
        public int BatchSize { get; init; } = 8;
        public IReadOnlyList<string> FailIf { get; init; } = [];
        public bool AllowUnscored { get; init; }
        public int MaxLength { get; init; }
        public string Template { get; init; } = TemplateResolver.Auto;
        public string Device { get; init; } = "cpu";
        public int Threads { get; init; } = SharedWork.Threads;
        public long Seed { get; init; } = 1;
        public bool Resume { get; init; }
        public bool Json { get; init; }
    }
}
