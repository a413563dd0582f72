namespace SafeLlama.Cli.Options;

/// <summary>What <c>merge</c> can be told.</summary>
internal sealed class MergeOptions : OptionSet<MergeOptions.Request>
{
    public MergeOptions()
    {
        AddShared(nameof(Request.Model), required: true);
        AddShared(nameof(Request.Adapter), required: true);
        Add(nameof(Request.Out), "The new model folder. A folder that is not empty is refused.", "DIR", required: true);
        AddShared(nameof(Request.Device));
        AddShared(nameof(Request.Threads));
        AddShared(nameof(Request.Json));
    }

    internal sealed record Request : IComputes
    {
        public string Model { get; init; } = "";
        public string Adapter { get; init; } = "";
        public string Out { get; init; } = "";
        public string Device { get; init; } = "cpu";
        public int Threads { get; init; } = Environment.ProcessorCount;
        public bool Json { get; init; }
    }
}
