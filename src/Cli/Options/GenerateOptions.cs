using SafeLlama.Data;
using SafeLlama.Model;

namespace SafeLlama.Cli.Options;

/// <summary>What <c>generate</c> can be told, but for how tokens are chosen.</summary>
internal sealed class GenerateOptions : OptionSet<GenerateOptions.Request>
{
    public GenerateOptions()
    {
        AddShared(nameof(Request.Model), required: true);
        AddShared(nameof(Request.Adapter));
        AddShared(nameof(Request.Load));
        AddShared(nameof(Request.Nested));
        Add(nameof(Request.Prompt), "Answer this.", "TEXT", isText: true);
        Add(nameof(Request.Prompts),
            "Answer each prompt of a file: a line of .txt, or a row of JSON, JSONL, CSV or Parquet.", "FILE");
        Add(nameof(Request.Out),
            "Append the answers to this new JSONL file, each as soon as it is made, instead of stdout.", "FILE");
        AddShared(nameof(Request.Resume));
        AddShared(nameof(Request.Template));
        Add(nameof(Request.Raw), "Take prompts as they stand, without a template; the model goes on with the text.");
        AddShared(nameof(Request.MaxLength));
        AddShared(nameof(Request.Device));
        AddShared(nameof(Request.Threads));
        AddShared(nameof(Request.Json));
        Add(nameof(Request.Profile),
            "Decoding profile. authors-effective: what the paper's code really did, four beams "
            + "and 128 new tokens. model: what the model's generation_config.json suggests. Excludes the options "
            + "below; beside model, --max-new-tokens may be given.", choices: ["authors-effective", "model"]);
    }

    internal sealed record Request : IComputes
    {
        public string Model { get; init; } = "";
        public string? Adapter { get; init; }
        public LoadAs Load { get; init; }
        public bool Nested { get; init; }
        public string? Prompt { get; init; }
        public string? Prompts { get; init; }
        public string? Out { get; init; }
        public bool Resume { get; init; }
        public string Template { get; init; } = TemplateResolver.Auto;
        public bool Raw { get; init; }
        public int MaxLength { get; init; }
        public string Device { get; init; } = "cpu";
        public int Threads { get; init; } = Environment.ProcessorCount;
        public bool Json { get; init; }
        public string? Profile { get; init; }
    }
}
