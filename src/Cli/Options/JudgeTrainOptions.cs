namespace SafeLlama.Cli.Options;

/// <summary>What <c>judge train</c> reads and writes; how it learns is <see cref="RewardOptions"/>.</summary>
internal sealed class JudgeTrainOptions : OptionSet<JudgeTrainOptions.Request>
{
    public const string Llama = "llama";
    public const string Encoder = "encoder";

    public JudgeTrainOptions()
    {
        AddShared(nameof(Request.Model), required: true);
        Add(nameof(Request.Backbone), "What --model is: llama, whose score is read from the last token, or encoder, a "
            + "DeBERTa-v2 or v3 whose score is read from [CLS]. Ratings make a judge of harmfulness, pairs one of "
            + "preference.", choices: [Llama, Encoder]);
        Add(nameof(Request.Pairs), "Rows of chosen and rejected conversations.", "FILE");
        Add(nameof(Request.Ratings), "Rows of prompt, response and rating.", "FILE");
        Add(nameof(Request.Out), "Where the reward model is written: adapter, head, reward.json. A folder that is not "
            + "empty is refused.", "DIR", required: true);
        AddShared(nameof(Request.Device));
        AddShared(nameof(Request.Threads));
        AddShared(nameof(Request.Json));
    }

    internal sealed record Request : IComputes
    {
        public string Model { get; init; } = "";
        public string Backbone { get; init; } = Llama;
        public string? Pairs { get; init; }
        public string? Ratings { get; init; }
        public string Out { get; init; } = "";
        public string Device { get; init; } = "cpu";
        public int Threads { get; init; } = Environment.ProcessorCount;
        public bool Json { get; init; }
    }
}
