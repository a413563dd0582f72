using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>All settings that decide how a run learns. The rows are its <see cref="TrainingData"/>.</summary>
public sealed record TrainingConfig
{
    /// <summary>The adapter that learns; null where all weights learn.</summary>
    public LoraConfig? Lora { get; init; } = new() { Dropout = 0.05 };

    /// <summary>Passes over the data; a fraction ends within one.</summary>
    public double Epochs { get; init; } = 3;

    /// <summary>Optimizer steps, instead of <see cref="Epochs"/>.</summary>
    public int? Steps { get; init; }

    /// <summary>Examples of an optimizer step.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>Examples that pass through the model at once; divides <see cref="BatchSize"/>.</summary>
    public int MicroBatch { get; init; } = 4;

    /// <summary>What backward recomputes to save memory; results do not change.</summary>
    public Recompute Recompute { get; init; }

    /// <summary>η at its peak.</summary>
    public double LearningRate { get; init; } = 3e-4;

    public ScheduleShape Schedule { get; init; } = ScheduleShape.Linear;

    /// <summary>Steps, or a share of all steps, over which the learning rate rises from 0.</summary>
    public Amount WarmupSteps { get; init; } = Amount.Share(0.05);

    public AdamWSettings Optimizer { get; init; } = new();

    /// <summary>NEFTune's α: noise on the embedded tokens while training; 0 adds none.</summary>
    public double NeftuneAlpha { get; init; }

    /// <summary>The global gradient norm is clipped to this; 0 does not clip.</summary>
    public double MaxGradNorm { get; init; } = 1;

    /// <summary>How it learns from preferences; null where it learns answers by heart.</summary>
    public PreferenceSettings? Preference { get; init; }

    /// <summary>What makes the model harder to turn; null for nothing.</summary>
    public DefenseSettings? Defense { get; init; }

    public LossNormalization LossDivisor { get; init; } = LossNormalization.Targets;

    /// <summary>Steps from one validation, and checkpoint, to the next; the last step has both.</summary>
    public int EvaluateEvery { get; init; } = 50;

    /// <summary>Validations without a better loss after which the run stops; 0 never stops early.</summary>
    public int Patience { get; init; }

    /// <summary>The run stops at the first validation with this loss or less; null never stops at one.</summary>
    public double? UntilLoss { get; init; }

    /// <summary>Checkpoints kept beside the best.</summary>
    public int KeepCheckpoints { get; init; } = 2;

    /// <summary>Seeds the order of the data, the adapter's start and dropout.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>Optimizer steps of the whole run over so many examples.</summary>
    public int TotalSteps(int examples) =>
        Steps ?? (int)Math.Ceiling(Epochs * new EpochSampler(examples, BatchSize, Seed, shuffle: false).StepsPerEpoch);

    /// <summary>The learning rates of a run of so many steps.</summary>
    /// <remarks>A share of the steps is rounded up, but leaves at least one step after the warm-up.</remarks>
    public LearningRateSchedule ScheduleOver(int totalSteps)
    {
        var warmup = WarmupSteps.OfAtLeast(totalSteps);
        var isPart = WarmupSteps is { IsShare: true, Value: < 1 };
        return new(Schedule, LearningRate, isPart ? Math.Min(warmup, totalSteps - 1) : warmup, totalSteps);
    }

    /// <exception cref="SafeLlamaException">Values are out of range; one line names them all.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        void Require(bool fine, string fault)
        {
            if (!fine)
            {
                faults.Add(fault);
            }
        }

        Require(Epochs > 0 && double.IsFinite(Epochs), $"`{nameof(Epochs)}` {Epochs}: expected more than 0.");
        Require(Steps is null or > 0, $"`{nameof(Steps)}` {Steps}: expected at least 1.");
        Require(LearningRate > 0 && double.IsFinite(LearningRate),
            $"`{nameof(LearningRate)}` {LearningRate}: expected a positive number; 0 would learn nothing.");
        Require(Optimizer is { Beta1: >= 0 and < 1, Beta2: >= 0 and < 1 },
            $"`{nameof(Optimizer.Beta1)}` {Optimizer.Beta1} and "
            + $"`{nameof(Optimizer.Beta2)}` {Optimizer.Beta2}: expected "
            + "at least 0 and less than 1.");
        Require(Optimizer.WeightDecay >= 0,
            $"`{nameof(Optimizer.WeightDecay)}` {Optimizer.WeightDecay}: expected 0 or more.");
        Require(Optimizer.Epsilon > 0, $"`AdamEpsilon` {Optimizer.Epsilon}: expected a positive number.");
        Require(Optimizer.LoraPlusRatio > 0 && double.IsFinite(Optimizer.LoraPlusRatio),
            $"`{nameof(Optimizer.LoraPlusRatio)}` {Optimizer.LoraPlusRatio}: expected a positive number.");
        Require(NeftuneAlpha >= 0 && double.IsFinite(NeftuneAlpha),
            $"`{nameof(NeftuneAlpha)}` {NeftuneAlpha}: expected 0 (no noise) or more.");
        Require(MaxGradNorm >= 0, $"`{nameof(MaxGradNorm)}` {MaxGradNorm}: expected 0 (no clipping) or more.");
        Require(EvaluateEvery > 0, $"`{nameof(EvaluateEvery)}` {EvaluateEvery}: expected at least 1.");
        Require(Patience >= 0, $"`{nameof(Patience)}` {Patience}: expected 0 (never) or more.");
        Require(UntilLoss is null || (UntilLoss > 0 && double.IsFinite(UntilLoss.Value)),
            $"`{nameof(UntilLoss)}` {UntilLoss}: expected a loss above 0.");
        Require(KeepCheckpoints > 0, $"`{nameof(KeepCheckpoints)}` {KeepCheckpoints}: expected at least 1.");
        Action[] checks =
        [
            () => BatchPacker.CheckSizes(BatchSize, MicroBatch), () => Lora?.Validate(), () => Preference?.Validate(),
            () => Defense?.Validate(),
        ];
        foreach (var check in checks)
        {
            try
            {
                check();
            }
            catch (SafeLlamaException e)
            {
                faults.Add(e.Fault);
            }
        }

        if (faults.Count > 0)
        {
            throw SafeLlamaException.Usage(string.Join(" ", faults));
        }
    }
}
