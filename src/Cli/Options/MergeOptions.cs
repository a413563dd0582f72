using SafeLlama.Model;

namespace SafeLlama.Cli.Options;

/// <summary>What <c>merge</c> can be told.</summary>
internal sealed class MergeOptions : OptionSet<MergeOptions.Request>
{
    public MergeOptions()
    {
        AddShared(nameof(Request.Model), required: true);
        AddShared(nameof(Request.Adapter), required: true);
        Add(nameof(Request.Out), "The new model folder. A folder that is not empty is refused.", "DIR", required: true);
        AddShared(nameof(Request.Load));
        AddShared(nameof(Request.Nested));
        Add(nameof(Request.Type),
            "How the merged weights are stored. The base's own where not given, of a quantized base "
            + "that of its embeddings; stored of a quantized base is refused.");
        AddShared(nameof(Request.Device));
        AddShared(nameof(Request.Threads));
        AddShared(nameof(Request.Json));
    }

    internal sealed record Request : IComputes
    {
        public string Model { get; init; } = "";
        public string Adapter { get; init; } = "";
        public LoadAs Load { get; init; }
        public bool Nested { get; init; }
        public MergedType? Type { get; init; }
        public string Out { get; init; } = "";
        public string Device { get; init; } = "cpu";
        public int Threads { get; init; } = Environment.ProcessorCount;
        public bool Json { get; init; }
    }
}
