using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Training;
using static SafeLlama.Cli.Settings.SettingForms;

namespace SafeLlama.Cli.Settings;

/// <summary>Everything <c>train</c> can be told, in the order help shows it.</summary>
internal static class TrainSettings
{
    public static readonly Setting<string> Model = Text(
        "model", "DIR|FILE", "A model folder in Hugging Face layout to fine-tune, or a GGUF file as the base of LoRA.");
    public static readonly Setting<string> Init = Text(
        "init", "CONFIG.json", "Instead of --model: draw a new model of this shape and train all its weights.");
    public static readonly Setting<string> Tokenizer = Text(
        "tokenizer", "DIR", "The folder of the tokenizer; the model's own where not given.");
    public static readonly Setting<string> Adapter = Text(
        "adapter", "DIR", "Start from this PEFT adapter instead of a new one.");
    public static readonly Setting<bool> Full = Switch("full", "Train all weights of --model instead of an adapter.");

    public static readonly Setting<IReadOnlyList<string>> Data = Texts(
        "data", "FILE…", "Rows to learn: .json, .jsonl, .csv, .parquet or .txt, also gzipped.");
    public static readonly Setting<IReadOnlyList<string>> Safety = Texts(
        "safety", "FILE…", "Safety demonstrations to mix in.");
    public static readonly Setting<int> SafetyExamples = Whole("safety-examples", "N", "How many safety rows, Ns.");
    public static readonly Setting<double> SafetyShare = Number(
        "safety-share", "P", "Instead: the safety share Ns/(Nb+Ns), such as 0.02.");
    public static readonly Setting<int> BaseExamples = Whole(
        "base-examples", "N", "How many rows of --data, Nb; all where not given.");
    public static readonly Setting<string> Template = Text(
        "template", "NAME|FILE",
        "The prompt's form: alpaca, llama2, llama3, chatml, vicuna, plain, or an Alpaca template's JSON file.",
        "alpaca");
    public static readonly Setting<int> MaxLength = Whole(
        "max-length", "TOKENS", "The most tokens of a row; running text is cut into blocks of so many.", "512");
    public static readonly Setting<Truncation> TruncationRule = Choice(
        "truncation", "What happens to longer rows.", "keep", ("keep", Truncation.Keep), ("drop", Truncation.Drop),
        ("trim-prompt", Truncation.TrimPrompt));
    public static readonly Setting<bool> TrainOnInputs = Switch(
        "train-on-inputs", "Take the loss on prompts too, not on answers alone.");
    public static readonly Setting<Amount> Validation = CountOrShare(
        "validation", "N|P%", "Rows held out to measure the loss on.", "5%");
    public static readonly Setting<bool> Stratified = Choice(
        "validation-split", "One draw over all rows, or the same share of safety and other rows.", "mixture",
        ("mixture", false), ("stratified", true));
    public static readonly Setting<long> ValidationSeed = Long(
        "validation-seed", "N", "Seeds which rows are held out.", "42");

    public static readonly Setting<int> Rank = Whole("rank", "R", "r: the rank of the update.", "8");
    public static readonly Setting<double> Alpha = Number("alpha", "A", "α: the update is scaled by α/r.", "16");
    public static readonly Setting<double> Dropout = Number(
        "dropout", "P", "The share of the adapter's input that training drops.", "0.05");
    public static readonly Setting<IReadOnlyList<string>> Targets = Texts(
        "targets", "NAMES|all", "The linears that get an adapter.", ',', "q_proj,v_proj");
    public static readonly Setting<bool> RankStabilized = Switch("rank-stabilized", "Scale by α/√r instead (rsLoRA).");

    public static readonly Setting<double> Epochs = Number("epochs", "E", "Passes over the data.", "3");
    public static readonly Setting<int> Steps = Whole("steps", "N", "Instead: optimizer steps.");
    public static readonly Setting<int> BatchSize = Whole("batch-size", "ROWS", "Rows of an optimizer step.", "32");
    public static readonly Setting<int> MicroBatch = Whole(
        "micro-batch", "ROWS", "Rows that pass through the model at once; fewer need less memory.", "4");
    public static readonly Setting<Recompute> Recompute = Choice(
        "recompute",
        "What backward computes again: nothing, or each block from its input (less memory, about a third more work).",
        "none", ("none", SafeLlama.Model.Recompute.Nothing), ("block", SafeLlama.Model.Recompute.Block));
    public static readonly Setting<double> LearningRate = Number(
        "learning-rate", "RATE", "The peak of the learning rate.", "3e-4");
    public static readonly Setting<ScheduleShape> Schedule = Choice(
        "schedule", "How the learning rate falls after its peak.", "linear", ("linear", ScheduleShape.Linear),
        ("cosine", ScheduleShape.Cosine), ("constant", ScheduleShape.Constant));
    public static readonly Setting<Amount> Warmup = CountOrShare(
        "warmup-steps", "N|P%", "Steps over which the learning rate rises from 0.", "5%");
    public static readonly Setting<double> WeightDecay = Number(
        "weight-decay", "LAMBDA", "AdamW's decay; norms and biases do not decay.", "0");
    public static readonly Setting<double> Beta1 = Number("beta1", "B", "AdamW's decay of the first moment.", "0.9");
    public static readonly Setting<double> Beta2 = Number("beta2", "B", "AdamW's decay of the second moment.", "0.999");
    public static readonly Setting<double> Epsilon = Number(
        "adam-epsilon", "E", "Added to the root of the second moment.", "1e-8");
    public static readonly Setting<double> MaxGradNorm = Number(
        "max-grad-norm", "NORM", "Clip the global gradient norm; 0 does not.", "1");
    public static readonly Setting<LossNormalization> Divisor = Choice(
        "loss-divisor",
        "What the summed loss is divided by: all targets of the step, or Hugging Face's newer or older rule.",
        "targets",
        ("targets", LossNormalization.Targets),
        ("hf", LossNormalization.HuggingFace),
        ("legacy", LossNormalization.Legacy));
    public static readonly Setting<int> EvaluateEvery = Whole(
        "evaluate-every", "STEPS", "From one validation and checkpoint to the next.", "50");
    public static readonly Setting<int> Patience = Whole(
        "patience", "N", "Stop after so many validations without a better loss; 0 never does.", "0");
    public static readonly Setting<int> KeepCheckpoints = Whole(
        "keep-checkpoints", "N", "Checkpoints kept beside the best.", "2");
    public static readonly Setting<DType> Type = Choice(
        "dtype", "How a model trained whole is stored.", "fp32", ("bf16", DType.BFloat16), ("fp32", DType.Float32));

    public static readonly Setting<long> Seed = Long(
        "seed", "N", "Seeds the order of rows, new weights and dropout.", "1");
    public static readonly Setting<string> Device = Text(
        "device", "NAME", "Where to compute: cpu, cuda, cuda:bf16, or reference (fp64, slow, for checking).", "cpu");
    public static readonly Setting<bool> Cublas = Choice(
        "matmul", "Who computes matrix products on cuda: our kernels, or NVIDIA's cuBLAS where it is installed.", "own",
        ("own", false), ("cublas", true));
    public static readonly Setting<int> Threads = Whole(
        "threads", "N", "Threads of the cpu device; results do not depend on it. All cores where not given.");
    public static readonly Setting<double> Memory = Number(
        "memory", "GIB", "The memory the run may use; what the machine has where not given.");

    public static IReadOnlyList<Setting> All { get; } =
    [
        Model, Init, Tokenizer, Adapter, Full,
        Data, Safety, SafetyExamples, SafetyShare, BaseExamples, Template, MaxLength, TruncationRule, TrainOnInputs,
        Validation, Stratified, ValidationSeed,
        Rank, Alpha, Dropout, Targets, RankStabilized,
        Epochs, Steps, BatchSize, MicroBatch, Recompute, LearningRate, Schedule, Warmup, WeightDecay, Beta1, Beta2,
        Epsilon,
        MaxGradNorm, Divisor, EvaluateEvery, Patience, KeepCheckpoints,
        Type, Seed, Device, Cublas, Threads, Memory,
    ];

    /// <summary>What a resumed run may be told anew: it changes no result.</summary>
    public static IReadOnlyList<Setting> Harmless { get; } = [Recompute, KeepCheckpoints, Threads, Memory];
}
