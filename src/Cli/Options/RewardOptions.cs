using SafeLlama.Training;

namespace SafeLlama.Cli.Options;

/// <summary>How <c>judge train</c> learns.</summary>
internal sealed class RewardOptions : OptionSet<RewardRequest>
{
    public RewardOptions()
    {
        Add(nameof(RewardRequest.Validation), "The share of rows held out.", "P|P%");
        Add(nameof(RewardRequest.Rank), "The adapter's rank.", "R");
        Add(nameof(RewardRequest.LearningRate), "The peak of the learning rate.", "RATE");
        Add(nameof(RewardRequest.BatchSize), "Pairs or ratings of a step.", "ROWS");
        Add(nameof(RewardRequest.Epochs), "Passes over the rows.", "E");
        Add(nameof(RewardRequest.Limit), "Use so many rows, drawn by the seed.", "ROWS");
        Add(nameof(RewardRequest.Seed), "Seeds every random choice.", "N");
    }
}
