using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>How held-out rows are drawn.</summary>
public enum ValidationDraw
{
    /// <summary>One draw over all rows.</summary>
    Mixture,

    /// <summary>The same share of the safety rows and of the others.</summary>
    Stratified,
}

/// <summary>How a model trained whole is stored.</summary>
public enum StoredType
{
    Fp32,
    Bf16,
}

/// <summary>Who computes matrix products on a CUDA device.</summary>
public enum MatrixProducts
{
    Own,
    Cublas,
}

/// <summary>Everything a fine-tuning run can be told, in the order shown.</summary>
public sealed partial record FineTuneRequest
{
    /// <summary>A model folder in Hugging Face layout, or a GGUF file as the base of LoRA.</summary>
    public string? Model { get; init; }

    /// <summary>What <c>adapter_config.json</c> and the card call the base, such as its name at Hugging Face;
    /// <see cref="Model"/> where not given.</summary>
    public string? BaseName { get; init; }

    /// <summary>Instead of <see cref="Model"/>: a <c>config.json</c> of which a new model is drawn and trained
    /// whole.</summary>
    public string? Init { get; init; }

    /// <summary>The folder of the tokenizer; the model's own where not given.</summary>
    public string? Tokenizer { get; init; }

    /// <summary>A PEFT adapter to start from instead of a new one.</summary>
    public string? Adapter { get; init; }

    /// <summary>Train all weights of <see cref="Model"/> instead of an adapter.</summary>
    public bool Full { get; init; }

    /// <summary>What the linears of a frozen <see cref="Model"/> become as it is read.</summary>
    public LoadAs Load { get; init; }

    /// <summary>Quantize the absmax values of nf4 once more.</summary>
    public bool Nested { get; init; }

    /// <summary>Files of rows to learn.</summary>
    public IReadOnlyList<string> Data { get; init; } = [];

    /// <summary>What is minimized.</summary>
    public Objective Objective { get; init; }

    /// <summary>Instead of <see cref="Data"/>, where the objective learns from preferences: files of them.</summary>
    public IReadOnlyList<string> Preferences { get; init; } = [];

    /// <summary>β: how strongly a margin counts; ORPO's λ. The objective's own where not given.</summary>
    public double? Beta { get; init; }

    /// <summary>DPO: the share of pairs taken to be labeled the wrong way around.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>SimPO: the margin that is asked for.</summary>
    public double Gamma { get; init; } = 0.5;

    /// <summary>Divide log-probabilities by the answer's tokens; the objective's own way where not given.</summary>
    public bool? LengthNormalization { get; init; }

    /// <summary>KTO: the weight of wanted answers.</summary>
    public double DesirableWeight { get; init; } = 1;

    /// <summary>KTO: the weight of unwanted answers.</summary>
    public double UndesirableWeight { get; init; } = 1;

    /// <summary>KTO: z, instead of an estimate.</summary>
    public double? ReferencePoint { get; init; }

    /// <summary>Files of safety demonstrations to mix in.</summary>
    public IReadOnlyList<string> Safety { get; init; } = [];

    /// <summary>How many safety rows, Ns; all where neither this nor <see cref="SafetyShare"/> is given.</summary>
    public int? SafetyExamples { get; init; }

    /// <summary>Instead: the safety share Ns/(Nb+Ns).</summary>
    public Share? SafetyShare { get; init; }

    /// <summary>How many rows of <see cref="Data"/>, Nb; all where not given.</summary>
    public int? BaseExamples { get; init; }

    /// <summary>What makes the model harder to turn, by name; see <see cref="Training.Defense"/>.</summary>
    public IReadOnlyList<string> Defense { get; init; } = [];

    /// <summary>Recovery: the most tokens of a harmful answer that a row begins with.</summary>
    public int RecoveryPrefix { get; init; } = new RecoverySettings().Prefix;

    /// <summary>Recovery: the share of rows that begin with none.</summary>
    public double RecoveryPlain { get; init; } = new RecoverySettings().Plain;

    /// <summary>Constrained: β of an answer's late tokens.</summary>
    public double ConstraintBeta { get; init; } = new ConstrainedSettings().Beta;

    /// <summary>Constrained: the first token has so many times that.</summary>
    public double ConstraintFirst { get; init; } = new ConstrainedSettings().First;

    /// <summary>Constrained: the other early tokens have so many times that.</summary>
    public double ConstraintEarly { get; init; } = new ConstrainedSettings().Early;

    /// <summary>Constrained: how many tokens are early, the first included.</summary>
    public int ConstraintTokens { get; init; } = new ConstrainedSettings().EarlyTokens;

    /// <summary>Lisa: ρ.</summary>
    public double LisaRho { get; init; } = new LisaSettings().Rho;

    /// <summary>Lisa: steps on safety rows before the others' turn.</summary>
    public int LisaAlignmentSteps { get; init; } = new LisaSettings().AlignmentSteps;

    /// <summary>Lisa: steps on the other rows.</summary>
    public int LisaTuningSteps { get; init; } = new LisaSettings().TuningSteps;

    /// <summary>SafeLoRA: the folder of the aligned model; <see cref="Model"/> where not given.</summary>
    public string? Aligned { get; init; }

    /// <summary>SafeLoRA: the folder of the model before alignment.</summary>
    public string? Unaligned { get; init; }

    /// <summary>SafeLoRA: updates with a cosine up to this are projected.</summary>
    public double SafeLoraThreshold { get; init; } = new SafeLoraSettings("", "").Threshold;

    /// <summary>SafeLoRA: the projection onto the columns of V instead of the published one.</summary>
    public bool SafeLoraExact { get; init; }

    /// <summary>Booster: files of harmful rows, which it looks at and does not learn.</summary>
    public IReadOnlyList<string> Harmful { get; init; } = [];

    /// <summary>Booster: λ.</summary>
    public double BoosterLambda { get; init; } = new BoosterSettings().Lambda;

    /// <summary>Booster: α.</summary>
    public double BoosterAlpha { get; init; } = new BoosterSettings().Alpha;

    /// <summary>The prompt's form: a name, a file, or what adapter and model bring.</summary>
    public string Template { get; init; } = TemplateResolver.Auto;

    /// <summary>The most tokens of a row; running text is cut into blocks of so many.</summary>
    public int MaxLength { get; init; } = 512;

    /// <summary>What happens to longer rows.</summary>
    public Truncation Truncation { get; init; }

    /// <summary>Take the loss on prompts too, not on answers alone.</summary>
    public bool TrainOnInputs { get; init; }

    /// <summary>Rows held out to measure the loss on.</summary>
    public Amount Validation { get; init; } = Amount.Share(0.05);

    public ValidationDraw ValidationSplit { get; init; }

    /// <summary>Seeds which rows are held out.</summary>
    public long ValidationSeed { get; init; } = 42;

    /// <summary>r: the rank of the update.</summary>
    public int Rank { get; init; } = 8;

    /// <summary>α: the update is scaled by α/r.</summary>
    public double Alpha { get; init; } = 16;

    /// <summary>The share of the adapter's input that training drops.</summary>
    public Share Dropout { get; init; } = 0.05;

    /// <summary>The linears that get an adapter, parted by commas, or <c>all</c>.</summary>
    public string Targets { get; init; } = "q_proj,v_proj";

    /// <summary>Scale by α/√r instead (rsLoRA).</summary>
    public bool RankStabilized { get; init; }

    /// <summary>How the update begins and what it learns.</summary>
    public LoraVariant Variant { get; init; }

    /// <summary>LoRA+: how many times the learning rate every B moves at; 1 is plain LoRA.</summary>
    public double LoraPlusRatio { get; init; } = 1;

    /// <summary>NEFTune's α: noise on the embedded tokens while training; 0 adds none.</summary>
    public double NeftuneAlpha { get; init; }

    /// <summary>Passes over the data.</summary>
    public double Epochs { get; init; } = 3;

    /// <summary>Instead: optimizer steps.</summary>
    public int? Steps { get; init; }

    /// <summary>Rows of an optimizer step.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>Rows that pass through the model at once.</summary>
    public int MicroBatch { get; init; } = 4;

    /// <summary>What backward computes again instead of keeping.</summary>
    public Recompute Recompute { get; init; }

    /// <summary>The peak of the learning rate.</summary>
    public double LearningRate { get; init; } = 3e-4;

    /// <summary>How the learning rate falls after its peak.</summary>
    public ScheduleShape Schedule { get; init; } = ScheduleShape.Linear;

    /// <summary>Steps over which the learning rate rises from 0.</summary>
    public Amount WarmupSteps { get; init; } = Amount.Share(0.05);

    /// <summary>AdamW's decay; norms and biases do not decay.</summary>
    public double WeightDecay { get; init; }

    /// <summary>AdamW's decay of the first moment.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>AdamW's decay of the second moment.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the root of the second moment.</summary>
    public double AdamEpsilon { get; init; } = 1e-8;

    /// <summary>The global gradient norm is clipped to this; 0 does not clip.</summary>
    public double MaxGradNorm { get; init; } = 1;

    /// <summary>What the summed loss is divided by.</summary>
    public LossNormalization LossDivisor { get; init; }

    /// <summary>Steps from one validation and checkpoint to the next.</summary>
    public int EvaluateEvery { get; init; } = 50;

    /// <summary>Validations without a better loss after which the run stops; 0 never does.</summary>
    public int Patience { get; init; }

    /// <summary>Stop at the first validation with this loss or less; null never stops at one.</summary>
    public double? UntilLoss { get; init; }

    /// <summary>Checkpoints kept beside the best.</summary>
    public int KeepCheckpoints { get; init; } = 2;

    public StoredType Dtype { get; init; }

    /// <summary>Seeds the order of rows, new weights and dropout.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>Where to compute: cpu, cuda, cuda:bf16 or reference.</summary>
    public string Device { get; init; } = "cpu";

    public MatrixProducts Matmul { get; init; }

    /// <summary>Threads of the cpu; all cores where not given.</summary>
    public int? Threads { get; init; }

    /// <summary>The memory the run may use, in GiB; what the machine has where not given.</summary>
    public double? Memory { get; init; }
}
