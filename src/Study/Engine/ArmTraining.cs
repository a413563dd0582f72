using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Inference;
using SafeLlama.Model;
using SafeLlama.Training;

namespace SafeLlama.Study;

/// <summary>The training of one arm.</summary>
/// <remarks>
/// The loop, its checkpoints and the adapter it leaves are those of <c>train</c>: <see cref="TrainingRun"/> and
/// <see cref="AdapterFolder"/>. An arm's rows come from the study's source instead of files, nothing is held out, and
/// the size of a micro-batch follows from the rows; so it has no <c>run.json</c> of its own.
/// </remarks>
internal sealed class ArmTraining
{
    /// <summary>The most values of one residual stream, rows × hidden: what a micro-batch may hold.</summary>
    private const long ValuesAtOnce = 1 << 20;

    /// <summary>Checkpoints of a whole training: a kill loses a tenth of it at most.</summary>
    private const int Checkpoints = 10;

    private readonly ArmJob _job;

    /// <param name="job">The arm.</param>
    /// <param name="shape">The shape of its base.</param>
    /// <param name="tokenizer">The base's.</param>
    /// <param name="known">Rows encoded before for this base, template and length; null where none are kept.</param>
    public ArmTraining(ArmJob job, LlamaConfig shape, ITokenizer tokenizer, EncodedRows? known = null)
    {
        _job = job;
        (Data, Notes) = Encode(job, tokenizer, known);
        var t = job.Training;
        var config = new TrainingConfig
        {
            Lora = LoraOf(t),
            Optimizer = new AdamWSettings { LoraPlusRatio = t.LoraPlusRatio ?? 1 },
            NeftuneAlpha = t.NeftuneAlpha ?? 0,
            Epochs = t.Epochs,
            BatchSize = t.BatchSize,
            MicroBatch = Enumerable.Range(1, t.BatchSize)
                .Last(size => t.BatchSize % size == 0
                    && (size == 1 || (long)size * Data.Longest * shape.HiddenSize <= ValuesAtOnce)),
            LearningRate = t.LearningRate,
            Schedule = Enum.Parse<ScheduleShape>(t.Schedule, ignoreCase: true),
            KeepCheckpoints = 1,
            Preference = job.Arm.Preference?.Settings(),
            Defense = job.Arm.Defense?.Settings(),
            Seed = job.Replicate.Seed,
        };
        Steps = config.TotalSteps(Data.Training.Count);
        Config = config with
        {
            WarmupSteps = Amount.Count(Math.Min(t.WarmupSteps.OfAtLeast(Steps), Steps - 1)),
            EvaluateEvery = Math.Max(1, Steps / Checkpoints),
        };
    }

    /// <summary>The adapter that an arm trains.</summary>
    public static LoraConfig LoraOf(StudyTraining training) => new()
    {
        Rank = training.Rank,
        Alpha = training.Alpha,
        Dropout = training.Variant == LoraVariant.Pissa ? 0 : training.Dropout,
        Targets = LoraConfig.ParseTargets(string.Join(",", training.Targets)),
        Variant = training.Variant ?? LoraVariant.Lora,
    };

    public TrainingConfig Config { get; }

    public TrainingData Data { get; }

    /// <summary>Rows cut or left out.</summary>
    public IReadOnlyList<string> Notes { get; }

    public int Steps { get; }

    public LearningRateSchedule Schedule => Config.ScheduleOver(Steps);

    /// <summary>Tokens that pass through the model in all steps, forward and back.</summary>
    /// <remarks>A pass without gradient counts a third: over all rows for the reference, over each step's for KTO's
    /// estimate.</remarks>
    public double TokenCount
    {
        get
        {
            var mean = Data.Training.Average(row => row.Length);
            var learned = mean * Math.Min(Config.BatchSize, Data.Training.Count) * Steps;
            return Config.Preference is not { } preference
                // Booster's two passes over harmful rows; the one pass without gradient over all rows of the reference.
                ? learned * (Config.Defense?.Booster is null ? 1 : 3)
                    + (Config.Defense?.Constrained is null ? 0 : mean * Data.Training.Count / 3)
                : learned * (preference is { Objective: Objective.Kto, ReferencePoint: null } ? 4 / 3.0 : 1)
                    + (preference.Objective.NeedsReference() ? mean * Data.Training.Count / 3 : 0);
        }
    }

    /// <summary>Trains, or goes on with what <paramref name="folder"/> holds, and leaves <c>adapter/</c>
    /// there.</summary>
    /// <param name="opened">The model to learn.</param>
    /// <param name="safeLora">Projects the update once it is learned; null for none.</param>
    /// <exception cref="SafeLlamaException">A step was not finite; the arm is named.</exception>
    /// <exception cref="OperationCanceledException">It was asked to stop; a checkpoint was written.</exception>
    public TrainingSummary Run(
        LlamaSession opened, string folder, SafeLoraSettings? safeLora, IProgress<ArmProgress>? progress,
        CancellationToken cancellation)
    {
        var adapter = Path.Combine(folder, "adapter");
        var view = new View(_job.Replicate, progress);
        Directory.CreateDirectory(folder);
        using (var run = new TrainingRun(opened.Model, Config, Data, folder, _job.Replicate.Model, view))
        {
            if (Named(() => run.Run(cancellation)).Interrupted)
            {
                throw new OperationCanceledException(cancellation);
            }
        }

        string[] projected = safeLora is null ? []
            : [SafeLoraRun.Project(opened.Model.Backend, opened.Adapter!, safeLora, folder)];
        AdapterFolder.Save(opened.Adapter!, adapter, _job.Replicate.Model, _job.Template, card: null, view);
        Directory.Delete(Path.Combine(folder, "checkpoints"), recursive: true);
        var steps = File.ReadLines(Path.Combine(folder, TrainingLog.MetricsName))
            .Select(line => JsonNode.Parse(line)!).ToList();
        return new(
            Steps,
            opened.Adapter!.ParameterCount,
            steps.Sum(step => step["targets"]!.GetValue<long>()),
            ContentHash.OfFile(Path.Combine(adapter, PeftFolder.WeightsName)),
            [.. steps.Select(step => new CurvePoint(
                step["step"]!.GetValue<int>(),
                step["loss"]!.GetValue<double>(),
                step["learning_rate"]!.GetValue<double>(),
                step["gradient_norm"]!.GetValue<double>()))],
            [.. Notes, .. projected]);
    }

    private static (TrainingData Data, IReadOnlyList<string> Notes) Encode(
        ArmJob job, ITokenizer tokenizer, EncodedRows? known)
    {
        var limits = new EncodingOptions { MaxLength = job.Training.MaxLength };
        if (job.Arm.Preference?.Settings() is not { } settings)
        {
            IReadOnlyList<TrainingExample> rows = job.Preferences.Count > 0
                ? [.. job.Preferences.Select(pair => pair.Chosen!)] : job.Examples;
            var (examples, account) = new ExampleEncoder(tokenizer, job.Template, limits, known).EncodeAll(rows);
            var (recovery, harmful) = Defending(job, tokenizer, limits);
            return (
                TrainingData.All([.. examples, .. recovery]) with
                {
                    SafetyIds = job.SafetyIds.Concat(recovery.Select(row => row.Id)).ToHashSet(),
                    Harmful = harmful,
                },
                [.. account.Lines().Skip(1)]);
        }

        var unpaired = settings.Objective == Objective.Kto;
        var (pairs, report) =
            new PreferenceEncoder(tokenizer, job.Template, new(limits, unpaired)).EncodeAll(job.Preferences);
        IReadOnlyList<PreferenceExample> learned = [.. pairs.SelectMany(pair => pair)];
        return (
            TrainingData.All(unpaired && settings.ReferencePoint is null
                ? PreferenceEncoder.WithMismatched(learned, limits.MaxLength) : learned),
            [.. report.Lines().Skip(1)]);
    }

    /// <summary>Recovery rows, and the harmful rows that Booster looks at: both are made of the defense's
    /// pairs.</summary>
    private static (IReadOnlyList<TokenizedExample> Recovery, IReadOnlyList<TokenizedExample> Harmful) Defending(
        ArmJob job, ITokenizer tokenizer, EncodingOptions limits)
    {
        var defense = job.Arm.Defense;
        return (
            defense?.Recovery is not { } recovery ? [] : Recovery.Rows(
                [.. new PreferenceEncoder(tokenizer, job.Template, new(limits, Unpaired: false))
                    .EncodeAll(job.DefensePairs).Rows.SelectMany(pair => pair)],
                recovery, limits.MaxLength, job.Replicate.Seed),
            defense?.Booster is null ? [] : new ExampleEncoder(tokenizer, job.Template, limits)
                .EncodeAll([.. job.DefensePairs.Select(pair => pair.Rejected!)]).Examples);
    }

    private TrainingResult Named(Func<TrainingResult> run)
    {
        try
        {
            return run();
        }
        catch (SafeLlamaException e)
        {
            throw new SafeLlamaException(e.Code, $"{_job.Replicate.Folder}: {e.Fault}", e, e.WaysOut);
        }
    }

    private sealed class View(Replicate replicate, IProgress<ArmProgress>? progress) : ITrainingView
    {
        public void Stepped(StepReport report, int totalSteps, double seconds) =>
            progress?.Report(new(replicate, "training", report.Step, totalSteps, report.Loss));

        public void Validated(ValidationReport report, bool isBest)
        {
        }

        public void Note(string line)
        {
        }
    }
}
