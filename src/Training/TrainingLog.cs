using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Common;

namespace SafeLlama.Training;

/// <summary>The logs of a run: <c>metrics.jsonl</c>, <c>timings.jsonl</c> and a TensorBoard event file.</summary>
/// <remarks>
/// Metrics hold no times, so equal runs write equal files. A resumed run cuts the lines past its checkpoint first.
/// </remarks>
public sealed class TrainingLog : IDisposable
{
    public const string MetricsName = "metrics.jsonl";
    public const string TimingsName = "timings.jsonl";

    private readonly FileStream _metrics;
    private readonly FileStream _timings;
    private readonly TensorBoardFile _board;

    /// <param name="step">The step that the run resumes from; later lines are cut.</param>
    public TrainingLog(string runFolder, int step)
    {
        _metrics = Open(Path.Combine(runFolder, MetricsName), step);
        _timings = Open(Path.Combine(runFolder, TimingsName), step);
        var board = Path.Combine(runFolder, "tensorboard");
        Directory.CreateDirectory(board);
        _board = new TensorBoardFile(
            Path.Combine(board, $"events.out.tfevents.{step:D10}.safellama"), TimeProvider.System);
    }

    public void Step(StepReport report, double epoch, double seconds)
    {
        Append(_metrics, new StepMetrics(
            report.Step, epoch, report.Loss, report.GradientNorm, report.LearningRate, report.TargetCount,
            report.TokenCount)
        {
            Preference = report.Preference,
        });
        Append(_timings, new StepTiming(
            report.Step, Math.Round(seconds, 6), Math.Round(report.TokenCount / seconds, 1)));
        _board.Scalar(report.Step, "train/loss", report.Loss);
        _board.Scalar(report.Step, "train/gradient_norm", report.GradientNorm);
        _board.Scalar(report.Step, "train/learning_rate", report.LearningRate);
        _board.Scalar(report.Step, "train/tokens_per_second", report.TokenCount / seconds);
        Preference(report.Step, "train", report.Preference);
        _board.Flush();
    }

    public void Validation(ValidationReport report)
    {
        _board.Scalar(report.Step, "validation/loss", report.Loss);
        foreach (var (name, loss) in new[] { ("general", report.General), ("safety", report.Safety) })
        {
            if (loss is { } value)
            {
                _board.Scalar(report.Step, $"validation/loss_{name}", value);
            }
        }

        Preference(report.Step, "validation", report.Preference);
        Append(_metrics, new ValidationMetrics(report.Step, report.Loss, report.General, report.Safety)
        {
            Preference = report.Preference,
        });
        _board.Flush();
    }

    public void Dispose()
    {
        _metrics.Dispose();
        _timings.Dispose();
        _board.Dispose();
    }

    private void Preference(int step, string group, PreferenceMetrics? metrics)
    {
        foreach (var (name, value) in metrics?.Values() ?? [])
        {
            _board.Scalar(step, $"{group}/{name}", value);
        }
    }

    /// <summary>Opens a file to append to, without the lines past <paramref name="step"/> or a line torn by a
    /// kill.</summary>
    private static FileStream Open(string path, int step)
    {
        return FileErrors.Writing(path, () =>
        {
            var stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
            stream.SetLength(step == 0 ? 0 : KeptLength(stream, step));
            stream.Position = stream.Length;
            return stream;
        });
    }

    private static long KeptLength(FileStream stream, int step)
    {
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        var kept = 0;
        while (Array.IndexOf(bytes, (byte)'\n', kept) is var end and >= 0)
        {
            if (StepOf(bytes.AsSpan(kept, end - kept)) is not { } lineStep)
            {
                throw SafeLlamaException.InvalidData(
                    $"{stream.Name}: byte {kept} begins a line without a \"step\"; the file is damaged. "
                    + "Move it away to resume: what it held of the steps before is lost, the run is not.");
            }

            if (lineStep > step)
            {
                break;
            }

            kept = end + 1;
        }

        return kept;
    }

    /// <summary>The validation loss before the first step; null where none was measured.</summary>
    public static double? StartLoss(string runFolder)
    {
        var path = Path.Combine(runFolder, MetricsName);
        return File.Exists(path) && File.ReadLines(path).FirstOrDefault() is { } line
            && JsonNode.Parse(line) is JsonObject fields && fields["step"]?.GetValue<int>() == 0
            ? fields["validation_loss"]?.GetValue<double>() : null;
    }

    /// <summary>The validation loss at a step; null where the log does not say.</summary>
    public static double? ValidationLoss(string runFolder, int step)
    {
        var path = Path.Combine(runFolder, MetricsName);
        string[] lines = File.Exists(path)
            ? FileErrors.Reading(path, () => File.ReadAllLines(path), ExitCode.InvalidData) : [];
        foreach (var line in lines.Where(text => StepOf(System.Text.Encoding.UTF8.GetBytes(text)) == step))
        {
            if (JsonNode.Parse(line)!["validation_loss"] is JsonValue value && value.TryGetValue(out double loss))
            {
                return loss;
            }
        }

        return null;
    }

    /// <summary>The last step of a log, and the lowest validation loss after the first; a torn last line is left
    /// out.</summary>
    /// <exception cref="SafeLlamaException">A whole line is damaged.</exception>
    public static (int Steps, double? BestLoss) Progress(string runFolder)
    {
        var path = Path.Combine(runFolder, MetricsName);
        var (steps, best, number) = (0, (double?)null, 0);
        var text = File.Exists(path)
            ? FileErrors.Reading(path, () => File.ReadAllText(path), ExitCode.InvalidData) : "";
        foreach (var line in text.Split('\n').SkipLast(1))
        {
            number++;
            if (StepOf(System.Text.Encoding.UTF8.GetBytes(line)) is not { } step)
            {
                throw SafeLlamaException.InvalidData(
                    $"{path}:{number}: is a line without a \"step\"; the file is damaged.");
            }

            steps = Math.Max(steps, step);
            if (step > 0 && JsonNode.Parse(line)!["validation_loss"] is JsonValue value
                && value.TryGetValue(out double loss) && !(loss >= best))
            {
                best = loss;
            }
        }

        return (steps, best);
    }

    private static int? StepOf(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonNode.Parse(line) is JsonObject fields && fields["step"] is JsonValue value
                && value.TryGetValue(out int step) ? step : null;
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            return null;
        }
    }

    private static void Append<T>(FileStream stream, T line) => FileErrors.Writing(
        stream.Name,
        () =>
        {
            stream.Write(System.Text.Encoding.UTF8.GetBytes(JsonSerializer.Serialize(line, Json.Line) + "\n"));
            stream.Flush();
        },
        "The last checkpoint is whole.");
}
