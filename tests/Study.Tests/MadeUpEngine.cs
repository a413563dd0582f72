using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Study.Tests;

/// <summary>
/// Stands where the engine will stand: refuses by a rule, so that runner, tables and report can be tested alone.
/// </summary>
internal sealed class MadeUpEngine : IStudyEngine
{
    private int _calls;

    /// <summary>After so many calls the engine is interrupted, as a killed process would be.</summary>
    public int DiesAfter { get; init; } = int.MaxValue;

    public int Trainings { get; private set; }

    public IReadOnlyDictionary<string, string> Describe(string model) =>
        new Dictionary<string, string> { ["weights"] = ContentHash.OfText(model) };

    public ArmEstimate Estimate(ArmJob job, IReadOnlyList<StudyPrompt> prompts) => new(job.Examples.Count, 1, 1, 1);

    public TrainingSummary Train(
        ArmJob job, string folder, IProgress<ArmProgress>? progress, CancellationToken cancellation)
    {
        Tick();
        Trainings++;
        CurvePoint[] curve =
            [.. Enumerable.Range(1, 40).Select(s => new CurvePoint(s, 3.0 / Math.Sqrt(s), 3e-3 * (1 - s / 40.0), 1))];
        return new(40, 1000, 5000, ContentHash.OfText(job.Replicate.Folder), curve, []);
    }

    /// <summary>
    /// More demonstrations, more refusals; safe prompts that sound harmful are refused at half the rate.
    /// </summary>
    public IReadOnlyList<string> Answer(
        ArmJob job, string folder, IReadOnlyList<StudyPrompt> prompts, CancellationToken cancellation)
    {
        Tick();
        var dose = job.Examples.Count(e => e.Category == "safety");
        var rate = dose / (dose + 40.0);
        return [.. prompts.Select((prompt, i) =>
        {
            var chance = prompt.Label switch { PromptLabel.Unsafe => rate, PromptLabel.Safe => rate / 2, _ => 0 };
            return Philox.Stream(job.Replicate.Seed, prompt.Suite).Uniform(i) < chance
                ? Grammar.Refusals[0]
                : prompt.Expected ?? "Step 1: find the thing.";
        })];
    }

    public StudyLesson? Explain(ArmJob job, string folder, LessonPlan plan) => null;

    private void Tick()
    {
        if (++_calls > DiesAfter)
        {
            throw new OperationCanceledException();
        }
    }
}
