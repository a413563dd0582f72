using System.Diagnostics;
using SafeLlama.Data;
using SafeLlama.Inference;
using SafeLlama.Model;
using SafeLlama.Training;

namespace SafeLlama.Study;

/// <summary>The speed of training and answering with one model on this machine, measured in a few seconds.</summary>
/// <remarks>
/// Training costs the same for every token of a row, and answering for every token read or written, as long as a model
/// is the same: so an arm's time is counts of tokens times these. A first small measurement takes one row alone; only
/// where that is quick is it repeated with a whole micro-batch, so that a large model is measured in seconds too.
/// </remarks>
/// <param name="TrainedToken">Seconds per token of a row, forward, backward and update.</param>
/// <param name="ReadToken">Seconds per token of a prompt.</param>
/// <param name="WrittenToken">Seconds per token of an answer, prompts answered together.</param>
public sealed record EngineSpeed(double TrainedToken, double ReadToken, double WrittenToken)
{
    /// <summary>A measurement that takes more seconds than this is not repeated.</summary>
    private const double Enough = 0.5;

    /// <summary>Tokens written per prompt while measuring.</summary>
    private const int Written = 8;

    internal static EngineSpeed Measure(
        LlamaSession opened, ArmTraining training, ArmJob job, IReadOnlyList<StudyPrompt> prompts)
    {
        var trained = Trained(opened, training);
        // The model is open for rows to learn, and a longer prompt takes as long for each token.
        var room = opened.Model.MaxLength - Written - 1;
        int[][] ids =
        [
            .. prompts.Take(job.Decoding.BatchSize).Select(p => opened.PromptIds(p.Row))
                .Select(prompt => prompt.Length > room ? prompt[..room] : prompt),
        ];
        var answered = Warm(() => Answered(opened, ids[..1]), speed => speed.Read * ids[0].Length + speed.Written);
        var (read, written) = answered.Read * ids[0].Length + answered.Written < Enough
            ? Answered(opened, ids)
            : answered;
        return new(trained, read, written);
    }

    /// <summary>
    /// A measurement, made again where it was slow: the first one compiles the code that it runs, which takes seconds
    /// on a busy machine and says nothing of the model.
    /// </summary>
    /// <param name="measure">Measures.</param>
    /// <param name="seconds">How long a measurement says that the work takes.</param>
    public static T Warm<T>(Func<T> measure, Func<T, double> seconds)
    {
        var first = measure();
        if (seconds(first) <= Enough)
        {
            return first;
        }

        var second = measure();
        return seconds(second) < seconds(first) ? second : first;
    }

    private static double Trained(LlamaSession opened, ArmTraining training)
    {
        var rows = training.Data.Training;
        var one = Warm(() => Step(opened, training, [rows[0]], repeats: 1), step => step * rows[0].Length);
        one = one * rows[0].Length > Enough ? one : Step(opened, training, [rows[0]], repeats: 3);
        return one * rows[0].Length * training.Config.MicroBatch > 4 * Enough
            ? one
            : Step(opened, training, [.. rows.Take(training.Config.MicroBatch)], repeats: 10);
    }

    /// <summary>Seconds per token, the fastest of the repeats, since other load only adds time.</summary>
    private static double Step(
        LlamaSession opened, ArmTraining training, IReadOnlyList<TokenizedExample> rows, int repeats)
    {
        var batch = BatchPacker.Step(rows, rows.Count);
        using var workspace = new Workspace(opened.Model, batch[0].Length, forBackward: true);
        using var trainer = new Trainer(opened.Model, workspace, new TrainerSettings(training.Schedule), 1);
        return Enumerable.Range(0, repeats).Min(_ => Seconds(() => trainer.Step(batch))) / batch[0].Length;
    }

    private static (double Read, double Written) Answered(LlamaSession opened, int[][] ids)
    {
        Answer(1);
        var first = Seconds(() => Answer(1));
        var all = Seconds(() => Answer(1 + Written));
        return (first / ids.Sum(prompt => prompt.Length), Math.Max(0, all - first) / (Written * ids.Length));

        void Answer(int tokens) =>
            new Generator(opened.Model, new DecodingConfig { MaxNewTokens = tokens }).Generate(ids);
    }

    private static double Seconds(Action work)
    {
        var clock = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(clock).TotalSeconds;
    }
}
