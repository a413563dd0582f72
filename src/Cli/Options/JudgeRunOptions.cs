namespace SafeLlama.Cli.Options;

/// <summary>What <c>judge run</c> can be told, but for the judges.</summary>
internal sealed class JudgeRunOptions : OptionSet<JudgeRunOptions.Request>
{
    public JudgeRunOptions()
    {
        AddArgument(nameof(Request.Run), "RUN", SharedHelp.OneRun);
        AddShared(nameof(Request.Device));
        AddShared(nameof(Request.Threads));
        AddShared(nameof(Request.Json));
    }

    internal sealed record Request : IComputes
    {
        public string Run { get; init; } = "";
        public string Device { get; init; } = "cpu";
        public int Threads { get; init; } = Environment.ProcessorCount;
        public bool Json { get; init; }
    }
}
