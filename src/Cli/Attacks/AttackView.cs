using SafeLlama.Evaluation;

namespace SafeLlama.Cli.Attacks;

/// <summary>The progress of an attack run on stderr: a line for each trial, and its steps below.</summary>
internal sealed class AttackView : IProgress<AttackProgress>
{
    private EvaluationView _steps = new();
    private int _number = -1;

    public void Report(AttackProgress value)
    {
        if (value.Number != _number)
        {
            (_number, _steps) = (value.Number, new());
            Terminal.Note(value.Number == 0 ? "without an attack"
                : $"trial {value.Number} of {value.Total}: {value.Trial}");
        }

        _steps.Report(value.Inner);
    }
}
