namespace SafeLlama.Cli.Options;

/// <summary>What <c>doctor</c> can be told.</summary>
internal sealed class DoctorOptions : OptionSet<DoctorOptions.Request>
{
    public DoctorOptions()
    {
        Add(nameof(Request.Deep), "Try every op and a small whole model on --device against the fp64 reference, and a "
            + "resumed run against an unbroken one; exit code 1 if any falls short.");
        Add(nameof(Request.Kernel), "Print the machine code of a kernel, with comments: gemm-bf16, the tile of 12 rows "
            + "by 32 columns behind cpu:bf16.", choices: ["gemm-bf16"]);
        AddShared(nameof(Request.Device));
        AddShared(nameof(Request.Threads));
        AddShared(nameof(Request.Json));
    }

    internal sealed record Request : IComputes
    {
        public bool Deep { get; init; }
        public string? Kernel { get; init; }
        public string Device { get; init; } = "cpu";
        public int Threads { get; init; } = Environment.ProcessorCount;
        public bool Json { get; init; }
    }
}
