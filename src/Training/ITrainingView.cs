namespace SafeLlama.Training;

/// <summary>Who watches a run: a terminal, a study, a test.</summary>
public interface ITrainingView
{
    /// <summary>The run is planned, and nothing is written yet: a view that cannot watch it may refuse it.</summary>
    /// <param name="totalSteps">Steps of the whole run.</param>
    void Planned(int totalSteps)
    {
    }

    /// <summary>The held-out rows were measured before the first step.</summary>
    void Began(ValidationReport report)
    {
    }

    /// <summary>A step is done.</summary>
    /// <param name="report">What it did.</param>
    /// <param name="totalSteps">Steps of the whole run.</param>
    /// <param name="seconds">How long it took.</param>
    void Stepped(StepReport report, int totalSteps, double seconds);

    /// <summary>The held-out rows were measured.</summary>
    /// <param name="isBest">Whether no validation before was as good.</param>
    void Validated(ValidationReport report, bool isBest);

    /// <summary>Something worth a line.</summary>
    void Note(string line);
}

/// <summary>No one watches.</summary>
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
