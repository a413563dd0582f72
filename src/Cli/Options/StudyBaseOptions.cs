using SafeLlama.Study;

namespace SafeLlama.Cli.Options;

/// <summary>What <c>study base</c> can be told.</summary>
internal sealed class StudyBaseOptions : OptionSet<StudyBaseOptions.Request>
{
    public StudyBaseOptions()
    {
        Add(nameof(Request.World), "Which made-up world: the first, or the wider one with harm categories, wordings at "
            + "graded distances, peoples, dialogues and stalls.");
        AddShared(nameof(Request.Seed));
        Add(nameof(Request.Init), "The shape of the weights instead of the recipe's: a config.json, whose vocab_size "
            + "is replaced by the tokenizer's. For bases of several sizes that read the same text.", "FILE");
        Add(nameof(Request.UntilLoss), "Stop as soon as the loss on held-out text is this or less, looked at every "
            + "25 steps: bases of several sizes that know the world equally well. Where it is not reached the base is "
            + "kept and the exit code is 6.", "LOSS");
        Add(nameof(Request.Out), "The model's folder, in Hugging Face layout; what it is made of lies in making/ below "
            + "it. A folder that is not empty is refused, unless --resume.", "DIR", required: true);
        AddShared(nameof(Request.Threads));
        AddShared(nameof(Request.Resume));
        AddShared(nameof(Request.Json));
    }

    internal sealed record Request
    {
        public WorldName World { get; init; }
        public long Seed { get; init; } = 1;
        public string? Init { get; init; }
        public double? UntilLoss { get; init; }
        public string Out { get; init; } = "";
        public int Threads { get; init; } = Environment.ProcessorCount;
        public bool Resume { get; init; }
        public bool Json { get; init; }
    }
}
