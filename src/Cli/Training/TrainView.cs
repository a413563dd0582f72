using System.Globalization;
using SafeLlama.Training;

namespace SafeLlama.Cli.Training;

/// <summary>A run's progress on stderr: one line rewritten in place on a terminal, plain lines elsewhere.</summary>
internal sealed class TrainView : ITrainingView
{
    /// <summary>How much the newest step counts in the shown speed.</summary>
    private const double Smoothing = 0.2;

    /// <summary>Plain lines over a whole run, about.</summary>
    private const int PlainLines = 50;

    private double _secondsPerStep;
    private double _tokensPerSecond;
    private string _validation = "";

    public void Stepped(StepReport report, int totalSteps, double seconds)
    {
        var speed = report.TokenCount / seconds;
        (_secondsPerStep, _tokensPerSecond) = _tokensPerSecond == 0
            ? (seconds, speed)
            : (Blend(_secondsPerStep, seconds), Blend(_tokensPerSecond, speed));
        var left = TimeSpan.FromSeconds(_secondsPerStep * (totalSteps - report.Step));
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"step {report.Step}/{totalSteps}  loss {report.Loss:F4}{Learned(report.Preference)}{_validation}  ")
            + string.Create(CultureInfo.InvariantCulture, $"lr {report.LearningRate:0.00e-00}  ")
            + string.Create(CultureInfo.InvariantCulture, $"{_tokensPerSecond:F0} tokens/s  {Format(left)} left");
        if (Terminal.IsRich)
        {
            Console.Error.Write($"\r{line}\u001b[K{(report.Step == totalSteps ? "\n" : "")}");
        }
        else if (report.Step % Math.Max(1, totalSteps / PlainLines) == 0 || report.Step == totalSteps)
        {
            Terminal.Note(line);
        }
    }

    public void Began(ValidationReport report) => Note(string.Create(
        CultureInfo.InvariantCulture, $"before the first step: validation loss {report.Loss:F4}")
        + Part("general", report.General) + Part("safety", report.Safety));

    public void Validated(ValidationReport report, bool isBest)
    {
        _validation = string.Create(CultureInfo.InvariantCulture, $"  validation {report.Loss:F4}");
        var loss = string.Create(CultureInfo.InvariantCulture, $"step {report.Step}: validation loss {report.Loss:F4}");
        var parts = Part("general", report.General) + Part("safety", report.Safety);
        Note($"{loss}{parts}{Learned(report.Preference)}{(isBest ? ", the best so far" : "")}");
    }

    public void Note(string line)
    {
        if (Terminal.IsRich)
        {
            Console.Error.Write("\r\u001b[K");
        }

        Terminal.Notes([line]);
    }

    private static double Blend(double old, double value) => old + (Smoothing * (value - old));

    private static string Part(string name, double? loss) =>
        loss is { } value ? string.Create(CultureInfo.InvariantCulture, $", {name} {value:F4}") : "";

    /// <summary>How far preferences are learned.</summary>
    private static string Learned(PreferenceMetrics? m) => m is null ? "" : string.Create(
        CultureInfo.InvariantCulture, $"  right {m.Accuracy:P0}")
        + (m.Margin is { } margin ? string.Create(CultureInfo.InvariantCulture, $"  margin {margin:F3}") : "");

    private static string Format(TimeSpan time) => time.TotalHours >= 1 ? $"{(int)time.TotalHours}h{time.Minutes:D2}m"
        : time.TotalMinutes >= 1 ? $"{time.Minutes}m{time.Seconds:D2}s" : $"{time.Seconds}s";
}
