using SafeLlama.Data;
using SafeLlama.Model;

namespace SafeLlama.Cli.Options;

/// <summary>What <c>inspect</c> can be told.</summary>
internal sealed class InspectOptions : OptionSet<InspectOptions.Request>
{
    public InspectOptions()
    {
        AddShared(nameof(Request.Model), required: true);
        AddShared(nameof(Request.Adapter));
        AddShared(nameof(Request.Load));
        AddShared(nameof(Request.Nested));
        Add(nameof(Request.Harmful), "Prompts to refuse: suites by name, files in a known format, or name=file.",
            "NAME|FILE…");
        Add(nameof(Request.Harmless), "Prompts to answer, in the same wordings if they can be had.", "NAME|FILE…");
        Add(nameof(Request.Suites), "The folder that holds the files of known suites.", "DIR");
        Add(nameof(Request.Prompts), "Of each set, take so many prompts, spread evenly over it; 0 takes all.",
            "N");
        Add(nameof(Request.Position), "The token of a prompt that is looked at, counted from its end: -1 is the last.",
            "TOKENS");
        Add(nameof(Request.Against), "Compare with the direction of other models of this shape, of adapters over this "
            + "model (asked the same prompts), or of files that --out wrote.", "DIR|FILE…");
        Add(nameof(Request.Ablate), "For each layer's direction: take it out of the stream everywhere and count what "
            + "is still refused.");
        Add(nameof(Request.Add), "For each layer and each of these scales: add the direction before that layer and "
            + "count what is refused; 1 is the difference of means, below 0 subtracts.", "SCALE…");
        Add(nameof(Request.Layers), "Only these layers in --ablate, --add and --without; layer l is the stream before "
            + "block l.", "LAYER…");
        Add(nameof(Request.Lens), "Show for this request, layer by layer, the five tokens that the head would predict "
            + "next from the stream.", "TEXT");
        Add(nameof(Request.Out), "Save the direction to a new safetensors file, for --against.", "FILE");
        Add(nameof(Request.Without), "Write a new model folder: this model with the direction of the one layer that "
            + "--layers names taken out of its weights.", "DIR");
        Add(nameof(Request.MaxNewTokens), "The longest answer, where refusals are counted.", "TOKENS");
        Add(nameof(Request.BatchSize), "Prompts answered together; changes the time alone.", "N");
        AddShared(nameof(Request.MaxLength));
        AddShared(nameof(Request.Template));
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
        public IReadOnlyList<string> Harmful { get; init; } = [];
        public IReadOnlyList<string> Harmless { get; init; } = [];
        public string? Suites { get; init; }
        public int Prompts { get; init; }
        public int Position { get; init; } = -1;
        public IReadOnlyList<string> Against { get; init; } = [];
        public bool Ablate { get; init; }
        public IReadOnlyList<string> Add { get; init; } = [];
        public IReadOnlyList<string> Layers { get; init; } = [];
        public string? Lens { get; init; }
        public string? Out { get; init; }
        public string? Without { get; init; }
        public int MaxNewTokens { get; init; } = 64;
        public int BatchSize { get; init; } = 16;
        public int MaxLength { get; init; }
        public string Template { get; init; } = TemplateResolver.Auto;
        public string Device { get; init; } = "cpu";
        public int Threads { get; init; } = Environment.ProcessorCount;
        public bool Json { get; init; }
    }
}
