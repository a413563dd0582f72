using SafeLlama.Data;
using SafeLlama.Model;

namespace SafeLlama.Cli.Options;

/// <summary>What <c>evaluate</c> can be told, but for judges and tests of capability.</summary>
internal sealed class EvaluateOptions : OptionSet<EvaluateOptions.Request>
{
    public EvaluateOptions()
    {
        Add(nameof(Request.Model), "A model folder in Hugging Face layout, or a GGUF file.", "DIR|FILE.gguf");
        AddShared(nameof(Request.Adapter));
        AddShared(nameof(Request.Load));
        AddShared(nameof(Request.Nested));
        Add(nameof(Request.Suite), "Suites by name, or files in a known format, or name=file.", "NAME|FILE…");
        Add(nameof(Request.Suites), "The folder that holds the files of known suites.", "DIR");
        Add(nameof(Request.Responses), "Answers made elsewhere, instead of a model.", "FILE");
        Add(nameof(Request.Out), "Where the run is written; needed but with --list. A folder that is not "
            + "empty is refused, unless --resume.", "DIR");
        Add(nameof(Request.FailIf), "Exit with 6 if this holds, such as \"over_refusal>0.10\", "
            + "\"harmful_compliance>5%\", \"benign_refusal>2%\", \"xstest/over_refusal.high>15%\", "
            + "\"over_refusal.n<100\" or \"acc<0.5\".", "EXPR…");
        Add(nameof(Request.AllowUnscored), "Keep a --fail-if gate that invalid and unscored answers could flip.");
        Add(nameof(Request.All), "Show every metric, after which comes the headline.");
        Add(nameof(Request.Open), "Open report.html of the run with the browser, or with what xdg-open names.");
        Add(nameof(Request.List), "Show the known suites and where they come from.");
        Add(nameof(Request.Profile), "Decoding profile; authors-effective is four beams and 128 tokens.",
            choices: ["greedy", "authors-effective", "sampling"]);
        Add(nameof(Request.MaxNewTokens), "The longest answer.", "TOKENS");
        Add(nameof(Request.Temperature), "For --profile sampling.", "T");
        Add(nameof(Request.TopP), "For --profile sampling.", "P");
        Add(nameof(Request.TopK), "For --profile sampling.", "K");
        Add(nameof(Request.Samples), "Answers per prompt, when sampling.", "N");
        Add(nameof(Request.BatchSize), "Prompts answered together; changes the time alone.", "N");
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
        public string? Responses { get; init; }
        public string? Out { get; init; }
        public IReadOnlyList<string> FailIf { get; init; } = [];
        public bool AllowUnscored { get; init; }
        public bool All { get; init; }
        public bool Open { get; init; }
        public bool List { get; init; }
        public string Profile { get; init; } = "greedy";
        public int MaxNewTokens { get; init; } = 128;
        public double? Temperature { get; init; }
        public double? TopP { get; init; }
        public int? TopK { get; init; }
        public int Samples { get; init; } = 1;
        public int BatchSize { get; init; } = 8;
        public int MaxLength { get; init; }
        public string Template { get; init; } = TemplateResolver.Auto;
        public string Device { get; init; } = "cpu";
        public int Threads { get; init; } = SharedWork.Threads;
        public long Seed { get; init; } = 1;
        public bool Resume { get; init; }
        public bool Json { get; init; }
    }
}
