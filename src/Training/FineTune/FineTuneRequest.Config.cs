using System.Text.Json.Serialization;
using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>What follows from the settings.</summary>
public sealed partial record FineTuneRequest
{
    /// <summary>What a resumed run may be told anew: it changes no result.</summary>
    [JsonIgnore]
    public static IReadOnlyList<string> Harmless { get; } =
        [nameof(Recompute), nameof(KeepCheckpoints), nameof(Threads), nameof(Memory)];

    /// <summary>Whether all weights learn.</summary>
    [JsonIgnore]
    public bool IsFull => Init is not null || Full;

    /// <summary>How the frozen base is read.</summary>
    [JsonIgnore]
    public LoadForm LoadForm => new(Load, Nested);

    /// <summary>The bytes the run may use: as asked for, or the device's own memory, or the host's.</summary>
    public long MemoryBytes(IBackend backend) => Memory is { } gibibytes
        ? (long)(gibibytes * (1L << 30))
        : backend.MemoryBytes ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>How the run learns.</summary>
    /// <exception cref="SafeLlamaException">The adapter to start from cannot be read, or a target is
    /// unknown.</exception>
    public TrainingConfig Config() => new()
    {
        Lora = IsFull ? null : Adapter is not null ? PeftFolder.ReadConfig(Adapter) : new LoraConfig
        {
            Rank = Rank,
            Alpha = Alpha,
            Dropout = Variant == LoraVariant.Pissa ? 0 : Dropout,
            Variant = Variant,
            Targets = LoraConfig.ParseTargets(Targets),
            RankStabilized = RankStabilized,
        },
        Epochs = Epochs,
        Steps = Steps,
        BatchSize = BatchSize,
        MicroBatch = MicroBatch,
        Recompute = Recompute,
        LearningRate = LearningRate,
        Schedule = Schedule,
        WarmupSteps = WarmupSteps,
        Optimizer = new AdamWSettings(Beta1, Beta2, AdamEpsilon, WeightDecay)
        {
            LoraPlusRatio = IsFull ? 1 : LoraPlusRatio,
        },
        NeftuneAlpha = NeftuneAlpha,
        MaxGradNorm = MaxGradNorm,
        LossDivisor = LossDivisor,
        Preference = PreferenceConfig(),
        Defense = DefenseConfig(),
        EvaluateEvery = EvaluateEvery,
        Patience = Patience,
        UntilLoss = UntilLoss,
        KeepCheckpoints = KeepCheckpoints,
        Seed = Seed,
    };

    /// <summary>Whether a defense is named.</summary>
    public bool Defends(Defense defense) => Defense.Contains(SettingText.Of(defense));

    /// <summary>The defenses; null where there are none.</summary>
    public DefenseSettings? DefenseConfig() => Defense.Count == 0 ? null : new()
    {
        Recovery = Defends(Training.Defense.Recovery) ? new(RecoveryPrefix, RecoveryPlain) : null,
        Constrained = Defends(Training.Defense.Constrained)
            ? new(ConstraintBeta, ConstraintFirst, ConstraintEarly, ConstraintTokens) : null,
        Lisa = Defends(Training.Defense.Lisa) ? new(LisaRho, LisaAlignmentSteps, LisaTuningSteps) : null,
        SafeLora = Defends(Training.Defense.SafeLora)
            ? new(Aligned ?? Model ?? "", Unaligned ?? "", SafeLoraThreshold, SafeLoraExact) : null,
        Booster = Defends(Training.Defense.Booster) ? new(BoosterLambda, BoosterAlpha) : null,
    };

    /// <summary>How preferences are learned; null where none are.</summary>
    public PreferenceSettings? PreferenceConfig() => !Objective.IsPreference() ? null : new(Objective)
    {
        Beta = Beta ?? PreferenceSettings.DefaultBeta(Objective),
        LabelSmoothing = LabelSmoothing,
        Gamma = Gamma,
        LengthNormalization = LengthNormalization ?? PreferenceSettings.DefaultNormalization(Objective),
        DesirableWeight = DesirableWeight,
        UndesirableWeight = UndesirableWeight,
        ReferencePoint = ReferencePoint,
    };
}
