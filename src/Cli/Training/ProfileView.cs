using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Training;

namespace SafeLlama.Cli.Training;

/// <summary>Skips the first steps of a run, profiles some steps op by op, and prints their times.</summary>
/// <param name="inner">The view of the run that also receives everything.</param>
/// <param name="profile">The clock beside every op.</param>
/// <param name="steps">How many steps are watched.</param>
internal sealed class ProfileView(ITrainingView inner, OpProfile profile, int steps) : ITrainingView
{
    /// <summary>The first steps, in which the runtime still compiles.</summary>
    private const int Settling = 3;

    private int _seen;

    /// <exception cref="SafeLlamaException">The run is too short for this to print.</exception>
    public void Planned(int totalSteps)
    {
        if (steps < 1 || totalSteps < Settling + steps)
        {
            throw SafeLlamaException.Usage(
                $"--profile-steps {steps}: needs a run of {Settling + steps} steps or more, this one has "
                + $"{totalSteps}.");
        }
    }

    public void Stepped(StepReport report, int totalSteps, double seconds)
    {
        if (++_seen == Settling + steps)
        {
            profile.Stop();
            inner.Stepped(report, totalSteps, seconds);
            profile.Print(Console.Error, steps);
            return;
        }

        inner.Stepped(report, totalSteps, seconds);
        if (_seen == Settling)
        {
            profile.Reset();
        }
    }

    public void Began(ValidationReport report) => inner.Began(report);

    public void Validated(ValidationReport report, bool isBest) => inner.Validated(report, isBest);

    public void Note(string line) => inner.Note(line);
}
