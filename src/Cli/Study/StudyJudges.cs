using SafeLlama.Common;
using SafeLlama.Evaluation;
using SafeLlama.Inference;
using SafeLlama.Study;

namespace SafeLlama.Cli.Study;

/// <summary>The encoders that a recipe names, opened once for all its arms.</summary>
internal sealed class StudyJudges : IDisposable
{
    private readonly List<IDisposable> _owned = [];

    /// <exception cref="SafeLlamaException">A checkpoint is not here; the message says where it comes from.</exception>
    public StudyJudges(IReadOnlyList<StudyJudge> judges, string device, int threads) =>
        Opened = [.. judges.Select(judge => Open(judge, device, threads))];

    public IReadOnlyList<IJudge> Opened { get; }

    /// <summary>A line for each judge: its checkpoint, whether it is here, and where it comes from.</summary>
    public static IEnumerable<string> Lines(IReadOnlyList<StudyJudge> judges) => judges.Select(judge =>
        $"  judge {judge.Name}: {judge.Model} ({(IsHere(judge) ? "here" : "not here")}), from {judge.From}"
        + (judge.Name == StudyJudge.Harmfulness ? $"; harmful from {judge.Threshold} on, lower is safer" : ""));

    public void Dispose()
    {
        _owned.Reverse();
        _owned.ForEach(owned => owned.Dispose());
    }

    private static bool IsHere(StudyJudge judge) => File.Exists(Path.Combine(judge.Model, "config.json"));

    private IJudge Open(StudyJudge judge, string device, int threads)
    {
        if (!IsHere(judge))
        {
            throw SafeLlamaException.Usage(
                $"judges: {judge.Name} needs {judge.Model}, which is not here. Put the checkpoint of {judge.From} "
                + "there (config.json, model.safetensors, spm.model), or take judge and measure out of the recipe.");
        }

        var session = EncoderSession.Open(Devices.Open(device, threads), judge.Model, ownsBackend: true);
        Terminal.Notes(session.Notes);
        var scorer = new EncoderScorer(session, Terminal.Note);
        _owned.AddRange([session, scorer]);
        return judge.Name == StudyJudge.Harmfulness
            ? new HarmfulnessJudge(scorer, judge.Threshold) : new PreferenceJudge(scorer);
    }
}
