using SafeLlama.Kernels;
using SafeLlama.Training;

namespace SafeLlama.Cli.Training;

/// <summary>Prints the cost of device preparation once, after the first step.</summary>
internal sealed class StartUpView(ITrainingView inner, IBackend backend) : ITrainingView
{
    private bool _told;

    public void Planned(int totalSteps) => inner.Planned(totalSteps);

    public void Stepped(StepReport report, int totalSteps, double seconds)
    {
        if (!_told && backend.StartUp is { } cost)
        {
            inner.Note($"{backend.Name}: {cost}, as they were needed");
        }

        _told = true;
        inner.Stepped(report, totalSteps, seconds);
    }

    public void Began(ValidationReport report) => inner.Began(report);

    public void Validated(ValidationReport report, bool isBest) => inner.Validated(report, isBest);

    public void Note(string line) => inner.Note(line);
}
