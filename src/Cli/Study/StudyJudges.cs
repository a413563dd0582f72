using SafeLlama.Cli.Options;
using SafeLlama.Common;
using SafeLlama.Evaluation;
using SafeLlama.Study;

namespace SafeLlama.Cli.Study;

/// <summary>The encoders that a recipe names, opened once for all its arms.</summary>
internal sealed class StudyJudges : IDisposable
{
    private readonly DisposableStack _owned = new();

    /// <exception cref="SafeLlamaException">A checkpoint is not here, and the message says where it comes from; or
    /// together they do not fit.</exception>
    public StudyJudges(IReadOnlyList<StudyJudge> judges, IComputes where)
    {
        foreach (var judge in judges.Where(judge => !IsHere(judge)))
        {
            throw SafeLlamaException.Usage(
                $"judges: {judge.Name} needs {judge.Model}, which is not here. Put the checkpoint of {judge.From} "
                + "there (config.json, model.safetensors, spm.model), or take judge and measure out of the recipe.");
        }

        try
        {
            var encoders = new OpenedEncoders(where, _owned);
            Opened = [.. judges.Select(judge => Judge(judge, encoders.Open(judge.Model)))];
            if (Opened.GroupBy(j => j.Identity.Hash).FirstOrDefault(same => same.Count() > 1) is { } twice)
            {
                throw SafeLlamaException.Usage(
                    $"judges: {string.Join(" and ", twice.Select(j => j.Identity.Name))} are one checkpoint with one "
                    + "threshold, and would say the same. Take one out.");
            }
        }
        catch
        {
            _owned.Dispose();
            throw;
        }
    }

    public IReadOnlyList<IJudge> Opened { get; }

    /// <summary>A line for each judge: its checkpoint, whether it is here, and where it comes from.</summary>
    public static IEnumerable<string> Lines(IReadOnlyList<StudyJudge> judges) => judges.Select(judge =>
        $"  judge {judge.Name}: {judge.Model} ({(IsHere(judge) ? "here" : "not here")}), from {judge.From}"
        + (judge.RatesHarm ? $"; harmful from {judge.Threshold} on, lower is safer" : ""));

    public void Dispose() => _owned.Dispose();

    private static bool IsHere(StudyJudge judge) => File.Exists(Path.Combine(judge.Model, "config.json"));

    private static IJudge Judge(StudyJudge judge, EncoderScorer scorer) => judge.RatesHarm
        ? new HarmfulnessJudge(scorer, judge.Threshold, judge.Name) : new PreferenceJudge(scorer, judge.Name);
}
