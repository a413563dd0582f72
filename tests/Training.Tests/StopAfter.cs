namespace SafeLlama.Training.Tests;

/// <summary>Stops a run once it has done a step.</summary>
internal sealed class StopAfter(CancellationTokenSource stop, int step) : ITrainingView
{
    public void Stepped(StepReport report, int totalSteps, double seconds)
    {
        if (report.Step == step)
        {
            stop.Cancel();
        }
    }

    public void Validated(ValidationReport report, bool isBest)
    {
    }

    public void Note(string line)
    {
    }
}
