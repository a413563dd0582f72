using SafeLlama.Data;
using SafeLlama.Model;

namespace SafeLlama.Cli.Options;

/// <summary>What <c>export</c> can be told.</summary>
internal sealed class ExportOptions : OptionSet<ExportOptions.Request>
{
    /// <summary>The number types of GGUF by the name that <c>--type</c> gives them.</summary>
    public static readonly IReadOnlyDictionary<string, GgufFormat> Types =
        Enum.GetValues<GgufFormat>().ToDictionary(format => format.ToString().ToLowerInvariant());

    public ExportOptions()
    {
        AddShared(nameof(Request.Model), required: true);
        AddShared(nameof(Request.Adapter));
        Add(nameof(Request.To),
            "gguf: one file for llama.cpp; ollama: a folder with a Modelfile; hf: a Hugging Face folder.",
            required: true, choices: ["gguf", "ollama", "hf"]);
        Add(nameof(Request.Type),
            "How matrices are stored in GGUF. Default: as the base stores them, which loses nothing.",
            choices: [.. Types.Keys]);
        Add(nameof(Request.AdapterOnly), "Write the adapter as a GGUF file of its own, to be put beside its base.");
        AddShared(nameof(Request.Template));
        Add(nameof(Request.Tokenizer), "none: write a GGUF file without a tokenizer, to be given ids.",
            choices: ["none"]);
        Add(nameof(Request.Out), "The new file (gguf) or folder. What is there is not overwritten.", "FILE|DIR",
            required: true);
        Add(nameof(Request.Results),
            "Evaluation runs of this model and adapter, whose results the card of --to hf tells.",
            "RUN…");
        Add(nameof(Request.Check), "Ask the original and the export the prompts of these suites, compare refusals and "
            + "greedy answers, and exit with 6 if they differ beyond what the type allows.", "SUITE|FILE…");
        Add(nameof(Request.Suites), "The folder that holds the files of known suites.", "DIR");
        Add(nameof(Request.MaxNewTokens), "The longest answer of --check, in tokens.", "TOKENS");
        AddShared(nameof(Request.Device));
        AddShared(nameof(Request.Threads));
        AddShared(nameof(Request.Json));
    }

    internal sealed record Request : IComputes
    {
        public string Model { get; init; } = "";
        public string? Adapter { get; init; }
        public string To { get; init; } = "";
        public string? Type { get; init; }
        public bool AdapterOnly { get; init; }
        public string Template { get; init; } = TemplateResolver.Auto;
        public string? Tokenizer { get; init; }
        public string Out { get; init; } = "";
        public IReadOnlyList<string> Results { get; init; } = [];
        public IReadOnlyList<string> Check { get; init; } = [];
        public string? Suites { get; init; }
        public int MaxNewTokens { get; init; } = 64;
        public string Device { get; init; } = "cpu";
        public int Threads { get; init; } = Environment.ProcessorCount;
        public bool Json { get; init; }
    }
}
