namespace SafeLlama.Training;

/// <summary>How a run ended.</summary>
/// <param name="Steps">Optimizer steps done.</param>
/// <param name="TotalSteps">
/// Planned steps; more than <paramref name="Steps"/> where the run stopped early or was interrupted.
/// </param>
/// <param name="BestStep">The step whose parameters the model now holds.</param>
/// <param name="BestLoss">Its validation loss; null where nothing is held out.</param>
/// <param name="LastLoss">Training loss of the last step; null where none was taken.</param>
/// <param name="Interrupted">Whether the run was asked to stop; it wrote a checkpoint of its last step.</param>
public sealed record TrainingResult(
    int Steps, int TotalSteps, int BestStep, double? BestLoss, double? LastLoss, bool Interrupted)
{
    /// <summary>The validation loss before the first step; null where nothing is held out.</summary>
    public double? StartLoss { get; init; }

    /// <summary>Whether the model is worse than it was before it learned.</summary>
    public bool IsWorse => StartLoss is { } start && BestLoss is { } best && best >= start;
}
