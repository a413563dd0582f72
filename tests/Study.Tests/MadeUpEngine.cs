using System.Globalization;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Evaluation;
using SafeLlama.Inference;

namespace SafeLlama.Study.Tests;

/// <summary>
/// Stands where the engine will stand: refuses by a rule, so that runner, tables and report can be tested alone.
/// </summary>
internal sealed class MadeUpEngine(IStudySource source) : IStudyEngine
{
    private readonly Dictionary<string, string?> _expected =
        source.Prompts.ToDictionary(StudySuites.KeyOf, p => p.Expected);

    private int _calls;

    /// <summary>After so many calls the engine is interrupted, as a killed process would be.</summary>
    public int DiesAfter { get; init; } = int.MaxValue;

    /// <summary>The bytes of every base's weights, so to speak.</summary>
    public string Weights { get; init; } = "";

    /// <summary>Whether every model's folder holds the same.</summary>
    public bool HasOneBase { get; init; }

    public int Trainings { get; private set; }

    public int Answers { get; private set; }

    public IReadOnlyDictionary<string, string> Describe(string model) =>
        new Dictionary<string, string> { ["weights"] = ContentHash.OfText((HasOneBase ? "" : model) + Weights) };

    public long WeightCount(string model) => 1000;

    public ArmEstimate Estimate(ArmJob job, IReadOnlyList<StudyPrompt> prompts, AttackWork? attacks = null) =>
        new(job.Examples.Count, 1, 1, 1);

    public TrainingSummary Train(
        ArmJob job, string folder, IProgress<ArmProgress>? progress, CancellationToken cancellation)
    {
        Tick();
        Trainings++;
        CurvePoint[] curve =
            [.. Enumerable.Range(1, 40).Select(s => new CurvePoint(s, 3.0 / Math.Sqrt(s), 3e-3 * (1 - s / 40.0), 1))];
        return new(40, 1000, 5000, ContentHash.OfText(job.Replicate.Folder), curve, []);
    }

    /// <summary>The longer a refusal, the less likely.</summary>
    public IReadOnlyList<double> Likelihoods(ArmJob job, IReadOnlyList<TrainingExample> rows) =>
        [.. rows.Select(r => -(double)r.Answer.Length)];

    public ArmModel Open(ArmJob job, string folder) => new(
        new Responder(this, job),
        new Dictionary<string, string> { ["weights"] = ContentHash.OfText(job.Replicate.Folder) });

    public StudyLesson? Explain(TrainedArm tuned, TrainedArm? before, LessonPlan plan) => null;

    private void Tick()
    {
        if (++_calls > DiesAfter)
        {
            throw new OperationCanceledException();
        }
    }

    /// <summary>
    /// More demonstrations, more refusals; safe prompts that sound harmful are refused at half the rate.
    /// </summary>
    private sealed class Responder(MadeUpEngine engine, ArmJob job) : IResponder
    {
        public string Identity => ContentHash.OfText(job.Replicate.Folder);

        public DecodingConfig Settings => DecodingConfig.Greedy(job.Decoding.MaxNewTokens);

        public IReadOnlyList<ModelAnswer> Answer(IReadOnlyList<AnswerRequest> requests, CancellationToken cancellation)
        {
            engine.Tick();
            engine.Answers += requests.Count;
            return [.. requests.Select(r => new ModelAnswer([1], AnswerTo(r.Prompt), 1, "end"))];
        }

        private string AnswerTo(SuitePrompt prompt)
        {
            var dose = job.Examples.Count(e => e.Category == "safety");
            var rate = dose / (dose + 40.0);
            var chance = prompt.Label switch { PromptLabel.Unsafe => rate, PromptLabel.Safe => rate / 2, _ => 0 };
            var number = int.Parse(prompt.Id.AsSpan(prompt.Id.LastIndexOf('-') + 1), CultureInfo.InvariantCulture);
            return Philox.Stream(job.Replicate.Seed, prompt.Suite).Uniform(number) < chance
                ? Grammar.Refusals[0]
                : engine._expected[prompt.Key] ?? "Step 1: find the thing.";
        }
    }
}
