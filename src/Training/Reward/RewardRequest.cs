using SafeLlama.Common;

namespace SafeLlama.Training;

/// <summary>How a reward model learns.</summary>
public sealed record RewardRequest
{
    /// <summary>The share of rows held out.</summary>
    public Share Validation { get; init; } = 0.1;

    /// <summary>The adapter's rank.</summary>
    public int Rank { get; init; } = 8;

    /// <summary>The peak of the learning rate.</summary>
    public double LearningRate { get; init; } = 2e-4;

    /// <summary>Pairs or ratings of a step.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>Passes over the rows.</summary>
    public int Epochs { get; init; } = 1;

    /// <summary>Use so many rows, drawn by the seed; all where not given.</summary>
    public int? Limit { get; init; }

    /// <summary>Seeds the split, the order, the head and dropout.</summary>
    public long Seed { get; init; } = 1;

    /// <exception cref="SafeLlamaException">A setting is out of range.</exception>
    public void Validate()
    {
        foreach (var (name, value) in new[]
        {
            (nameof(BatchSize), BatchSize), (nameof(Epochs), Epochs), (nameof(Rank), Rank), (nameof(Limit), Limit ?? 1),
        })
        {
            if (value < 1)
            {
                throw SafeLlamaException.Usage($"`{name}` {value}: expected at least 1.");
            }
        }
    }
}
