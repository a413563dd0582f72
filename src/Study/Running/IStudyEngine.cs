using SafeLlama.Data;
using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>One replicate to train and evaluate, with everything that decides its outcome.</summary>
/// <param name="Replicate">Arm, base model, seed.</param>
/// <param name="Arm">The arm.</param>
/// <param name="Training">How it is trained.</param>
/// <param name="Decoding">How it answers.</param>
/// <param name="Template">The prompt's form.</param>
/// <param name="Examples">Benign rows and safety demonstrations; the engine shuffles them by the seed.</param>
public sealed record ArmJob(
    Replicate Replicate,
    StudyArm Arm,
    StudyTraining Training,
    StudyDecoding Decoding,
    PromptTemplate Template,
    IReadOnlyList<TrainingExample> Examples)
{
    /// <summary>Pairs, where the arm learns from these instead.</summary>
    public IReadOnlyList<PreferenceRow> Preferences { get; init; } = [];

    /// <summary>Pairs that a defense reads; not learned as preferences.</summary>
    public IReadOnlyList<PreferenceRow> DefensePairs { get; init; } = [];

    /// <summary>The ids of the safety demonstrations, where a defense tells them from other rows.</summary>
    public IReadOnlySet<string> SafetyIds { get; init; } = new HashSet<string>();

    /// <summary>The training folder whose adapter this one goes on from; null to begin anew.</summary>
    public string? Start { get; init; }
}

/// <summary>A job that has been trained.</summary>
/// <param name="Job">The job.</param>
/// <param name="Folder">The folder of its training.</param>
public sealed record TrainedArm(ArmJob Job, string Folder);

/// <summary>One point of a training curve.</summary>
public sealed record CurvePoint(int Step, double Loss, double LearningRate, double GradientNorm);

/// <summary>The summary of an arm's training.</summary>
/// <param name="Steps">Optimizer steps.</param>
/// <param name="Parameters">Values that were learned.</param>
/// <param name="TargetTokens">Tokens learned from, over all steps.</param>
/// <param name="AdapterHash">SHA-256 of the adapter's file; empty where nothing was trained.</param>
/// <param name="Curve">Loss by step.</param>
/// <param name="Notes">Remarks of the encoder or the trainer: rows cut or left out.</param>
public sealed record TrainingSummary(
    int Steps,
    long Parameters,
    long TargetTokens,
    string AdapterHash,
    IReadOnlyList<CurvePoint> Curve,
    IReadOnlyList<string> Notes);

/// <summary>The estimated cost of an arm.</summary>
/// <param name="Steps">Optimizer steps.</param>
/// <param name="Parameters">Values that are learned.</param>
/// <param name="PeakMemoryBytes">Weights, adapter, optimizer, activations, and the program itself.</param>
/// <param name="Seconds">Training and answering, from token counts and a short measurement; null where there are no
/// weights to measure with, or nothing is trained.</param>
public sealed record ArmEstimate(int Steps, long Parameters, long PeakMemoryBytes, double? Seconds)
{
    /// <summary>Remarks of the encoder: rows that will be cut or left out.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>The progress of an arm, for the live view.</summary>
/// <param name="Replicate">Which one.</param>
/// <param name="Stage">"training", "answering", "done".</param>
/// <param name="Done">Steps or prompts done.</param>
/// <param name="Total">Steps or prompts in all.</param>
/// <param name="Loss">The last loss, while training.</param>
/// <param name="Headline">The headline metrics, in the recipe's order, when done.</param>
public sealed record ArmProgress(
    Replicate Replicate, string Stage, int Done, int Total, double? Loss =
        null, IReadOnlyList<double>? Headline = null);

/// <summary>
/// The engine of a study: it trains adapters and answers prompts, with the same results at any number of threads.
/// </summary>
public interface IStudyEngine
{
    /// <summary>Hashes of a base model's weights and tokenizer, for the manifest.</summary>
    IReadOnlyDictionary<string, string> Describe(string model);

    /// <summary>How many weights a base has.</summary>
    long WeightCount(string model);

    /// <summary>Estimates the cost of the job without running it.</summary>
    /// <param name="attacks">What attacks ask besides; null where there are none.</param>
    ArmEstimate Estimate(ArmJob job, IReadOnlyList<StudyPrompt> prompts, AttackWork? attacks = null);

    /// <summary>The seconds that the job's model takes to read these prompts one by one, without an answer; null where
    /// there are no weights to measure with, or nothing is trained.</summary>
    double? ReadingSeconds(ArmJob job, IReadOnlyList<StudyPrompt> prompts) => null;

    /// <summary>Finds errors that a job would meet after its training, before any work.</summary>
    /// <exception cref="Common.SafeLlamaException">A job cannot be done; one line says why.</exception>
    void Check(ArmJob job, IReadOnlyList<StudyPrompt> prompts)
    {
    }

    /// <summary>Trains the job's adapter into <paramref name="folder"/>; continues a killed run.</summary>
    TrainingSummary Train(ArmJob job, string folder, IProgress<ArmProgress>? progress, CancellationToken cancellation);

    /// <summary>The mean log-likelihood per token that the job's base, before any training, gives to each row's
    /// answer.</summary>
    IReadOnlyList<double> Likelihoods(ArmJob job, IReadOnlyList<TrainingExample> rows);

    /// <summary>The model that training left in <paramref name="folder"/> (the base, for an untrained arm).</summary>
    ArmModel Open(ArmJob job, string folder);

    /// <summary>Opens the model that training left in <paramref name="folder"/> for what needs its weights.</summary>
    /// <param name="forGradients">Whether the adapter gets room for gradients.</param>
    /// <exception cref="Common.SafeLlamaException">The engine has no weights.</exception>
    Inference.LlamaSession OpenSession(ArmJob job, string folder, bool forGradients) =>
        throw Common.SafeLlamaException.Usage(
            $"{job.Replicate.Folder}: this engine opens no weights.");

    /// <summary>The model that training left in <paramref name="folder"/>, for attacks that go on tuning it.</summary>
    /// <param name="template">The template's name or file.</param>
    /// <exception cref="Common.SafeLlamaException">The engine has no weights.</exception>
    FineTuneTarget TargetOf(ArmJob job, string folder, string template) => throw Common.SafeLlamaException.Usage(
        $"{job.Replicate.Folder}: this engine opens no weights, so nothing can be attacked.");

    /// <summary>Measures a tuned model; null where there is nothing to measure.</summary>
    /// <param name="tuned">The model.</param>
    /// <param name="before">The model that it is compared with; null for the bare base.</param>
    /// <param name="plan">What to show.</param>
    StudyLesson? Explain(TrainedArm tuned, TrainedArm? before, LessonPlan plan);

    /// <summary>The model of the jobs with their adapters, for a page that runs it; null where it is too large or of
    /// another form.</summary>
    /// <param name="arms">Jobs of one model and seed, each with the folder of its training.</param>
    PageModel? Carry(IReadOnlyList<(ArmJob Job, string Folder)> arms) => null;
}

/// <summary>The source of a study's rows and prompts, and the grader of its answers.</summary>
public interface IStudySource
{
    PromptTemplate Template { get; }

    /// <summary>Nb.</summary>
    int BenignCount { get; }

    /// <summary>What was left out of what was read, one line each.</summary>
    IReadOnlyList<string> Notes => [];

    /// <summary>All demonstrations from which an arm may choose, in the order in which the seed draws them.</summary>
    IReadOnlyList<TrainingExample> Demonstrations(StudyArm arm, long seed);

    /// <summary>The prompts asked of every arm.</summary>
    IReadOnlyList<StudyPrompt> Prompts { get; }

    /// <summary>Rows for one arm and seed, benign ones and demonstrations, in the order in which they are
    /// learned from before the engine shuffles them.</summary>
    IReadOnlyList<TrainingExample> Examples(StudyArm arm, long seed);

    /// <summary>Pairs for one arm and seed.</summary>
    IReadOnlyList<PreferenceRow> Preferences(StudyArm arm, long seed) => [];

    /// <summary>The judge that classifies answers.</summary>
    IJudge Judge { get; }

    /// <summary>Other judges; the measure of harm uses the one named harmfulness.</summary>
    IReadOnlyList<IJudge> OtherJudges => [];

    /// <summary>The details of one tuned model for the report.</summary>
    LessonPlan Lesson { get; }

    /// <summary>Hashes of everything read or generated, for the manifest.</summary>
    IReadOnlyDictionary<string, string> Describe();
}
