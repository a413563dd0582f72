namespace SafeLlama.Training;

/// <summary>An observer of a run: a terminal, a study or a test.</summary>
public interface ITrainingView
{
    /// <summary>
    /// Called when the run is planned and nothing is written yet. A view that cannot observe the run may throw.
    /// </summary>
    /// <param name="totalSteps">Steps of the whole run.</param>
    void Planned(int totalSteps)
    {
    }

    /// <summary>Called after the held-out rows were measured before the first step.</summary>
    void Began(ValidationReport report)
    {
    }

    /// <summary>Called after a step.</summary>
    /// <param name="report">What it did.</param>
    /// <param name="totalSteps">Steps of the whole run.</param>
    /// <param name="seconds">How long it took.</param>
    void Stepped(StepReport report, int totalSteps, double seconds);

    /// <summary>Called after a validation.</summary>
    /// <param name="isBest">Whether no validation before was as good.</param>
    void Validated(ValidationReport report, bool isBest);

    /// <summary>Called with a remark of one line.</summary>
    void Note(string line);
}

/// <summary>A view that ignores everything.</summary>
public sealed class NoView : ITrainingView
{
    public static NoView Instance { get; } = new();

    public void Stepped(StepReport report, int totalSteps, double seconds)
    {
    }

    public void Validated(ValidationReport report, bool isBest)
    {
    }

    public void Note(string line)
    {
    }
}
