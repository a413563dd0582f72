using SafeLlama.Data;
using SafeLlama.Training;

namespace SafeLlama.Cli.Options;

/// <summary>Everything <c>train</c> can be told, in the order help shows it.</summary>
internal sealed class FineTuneOptions : OptionSet<FineTuneRequest>
{
    public FineTuneOptions()
    {
        AddModelAndData();
        AddAdapter();
        AddSteps();
        Add(nameof(FineTuneRequest.Dtype), "How a model trained whole is stored.", "bf16|fp32");
        Add(nameof(FineTuneRequest.Seed), "Seeds the order of rows, new weights and dropout.", "N");
        AddShared(nameof(FineTuneRequest.Device));
        Add(nameof(FineTuneRequest.Matmul),
            "Who computes matrix products on cuda: our kernels, or NVIDIA's cuBLAS where it is installed.");
        Add(nameof(FineTuneRequest.Threads),
            "Threads of the cpu device; results do not depend on it. All cores where not given.", "N");
        Add(nameof(FineTuneRequest.Memory),
            "The memory the run may use; what the machine has where not given.", "GIB");
    }

    private void AddModelAndData()
    {
        Add(nameof(FineTuneRequest.Model),
            "A model folder in Hugging Face layout to fine-tune, or a GGUF file as the base of LoRA.", "DIR|FILE");
        Add(nameof(FineTuneRequest.BaseName),
            "What the adapter calls its base (base_model_name_or_path), such as its name at Hugging Face; --model "
            + "where not given.", "NAME");
        Add(nameof(FineTuneRequest.Init),
            "Instead of --model: draw a new model of this shape and train all its weights.", "CONFIG.json");
        Add(nameof(FineTuneRequest.Tokenizer),
            "The folder of the tokenizer; the model's own where not given.", "DIR");
        Add(nameof(FineTuneRequest.Adapter),
            "Start from this PEFT adapter, or that of a run, instead of a new one.", "DIR");
        Add(nameof(FineTuneRequest.Full), "Train all weights of --model instead of an adapter.", "true|false");
        AddShared(nameof(FineTuneRequest.Load));
        Add(nameof(FineTuneRequest.Nested), SharedHelp.Of(nameof(FineTuneRequest.Nested)).Help, "true|false");
        Add(nameof(FineTuneRequest.Data),
            "Rows to learn: .json, .jsonl, .csv, .parquet or .txt, also gzipped.", "FILE…");
        AddPreferences();
        Add(nameof(FineTuneRequest.Safety), "Safety demonstrations to mix in.", "FILE…");
        Add(nameof(FineTuneRequest.SafetyExamples),
            "How many safety rows, Ns; all where neither this nor --safety-share is given.", "N");
        Add(nameof(FineTuneRequest.SafetyShare), "Instead: the safety share Ns/(Nb+Ns), such as 0.02 or 2%.", "P|P%");
        Add(nameof(FineTuneRequest.BaseExamples), "How many rows of --data, Nb; all where not given.", "N");
        AddDefenses();
        Add(nameof(FineTuneRequest.Template),
            "The prompt's form: auto (the adapter's, else the model's own chat template, else alpaca), "
            + $"{string.Join(", ", PromptTemplate.Names)}, a Jinja file, or an Alpaca template's JSON file.",
            "NAME|FILE");
        Add(nameof(FineTuneRequest.MaxLength),
            "The most tokens of a row; running text is cut into blocks of so many.", "TOKENS");
        Add(nameof(FineTuneRequest.Truncation), "What happens to longer rows.");
        Add(nameof(FineTuneRequest.TrainOnInputs),
            "Take the loss on prompts too, not on answers alone; of preferences, orpo's likelihood.", "true|false");
        Add(nameof(FineTuneRequest.Validation), "Rows held out to measure the loss on.", "N|P|P%");
        Add(nameof(FineTuneRequest.ValidationSplit),
            "One draw over all rows, or the same share of safety and other rows.");
        Add(nameof(FineTuneRequest.ValidationSeed), "Seeds which rows are held out.", "N");
    }

    private void AddPreferences()
    {
        Add(nameof(FineTuneRequest.Objective),
            "What is minimized: sft, the likelihood of answers; dpo, ipo, hinge, orpo or simpo, losses of pairs; kto, "
            + "of single answers.");
        Add(nameof(FineTuneRequest.Preferences),
            "Instead of --data, for all objectives but sft: rows of chosen and rejected answers; for kto also of one "
            + "answer and a label. With --defense recovery beside --data.", "FILE…");
        Add(nameof(FineTuneRequest.Beta),
            "How strongly a margin counts; orpo's lambda. 2 for simpo and 0.1 for others where not given.", "B");
        Add(nameof(FineTuneRequest.LabelSmoothing),
            "dpo: the share of pairs that are taken to be labeled the wrong way around.", "P");
        Add(nameof(FineTuneRequest.Gamma), "simpo: the margin that is asked for.", "G");
        Add(nameof(FineTuneRequest.LengthNormalization),
            "dpo, ipo, hinge: divide log-probabilities by the answer's tokens. Where not given, ipo alone does.",
            "true|false");
        Add(nameof(FineTuneRequest.DesirableWeight), "kto: the weight of wanted answers.", "W");
        Add(nameof(FineTuneRequest.UndesirableWeight), "kto: the weight of unwanted answers.", "W");
        Add(nameof(FineTuneRequest.ReferencePoint),
            "kto: z, in nats; estimated from answers under other prompts where not given.", "Z");
    }

    private void AddDefenses()
    {
        Add(nameof(FineTuneRequest.Defense),
            "Make the model harder to turn: recovery (refusals after the beginning of a harmful answer) and safe-lora "
            + "(project the trained update onto what alignment changed), each with one of constrained (hold first "
            + "tokens near where they began), lisa (safety steps and others take turns) and booster (seek weights "
            + "from which a harmful step gains little). Test any with attack.", "NAME…");
        Add(nameof(FineTuneRequest.RecoveryPrefix),
            "recovery: the most tokens of a harmful answer that a row begins with.", "TOKENS");
        Add(nameof(FineTuneRequest.RecoveryPlain), "recovery: the share of rows that begin with none.", "P");
        Add(nameof(FineTuneRequest.ConstraintBeta), "constrained: beta of an answer's late tokens.", "B");
        Add(nameof(FineTuneRequest.ConstraintFirst), "constrained: the first token has so many times that.", "TIMES");
        Add(nameof(FineTuneRequest.ConstraintEarly),
            "constrained: the other early tokens have so many times that.", "TIMES");
        Add(nameof(FineTuneRequest.ConstraintTokens),
            "constrained: how many tokens are early, the first included.", "TOKENS");
        Add(nameof(FineTuneRequest.LisaRho),
            "lisa: how strongly a state is held near where the other ended.", "RHO");
        Add(nameof(FineTuneRequest.LisaAlignmentSteps), "lisa: steps on safety rows before the others' turn.", "STEPS");
        Add(nameof(FineTuneRequest.LisaTuningSteps), "lisa: steps on the other rows.", "STEPS");
        Add(nameof(FineTuneRequest.Aligned), "safe-lora: the aligned model; --model where not given.", "DIR");
        Add(nameof(FineTuneRequest.Unaligned), "safe-lora: the model before alignment.", "DIR");
        Add(nameof(FineTuneRequest.SafeLoraThreshold),
            "safe-lora: updates with a cosine up to this are projected.", "COSINE");
        Add(nameof(FineTuneRequest.SafeLoraExact),
            "safe-lora: use the exact projection onto the columns of aligned minus unaligned instead of the published "
            + "one, which also scales.", "true|false");
        Add(nameof(FineTuneRequest.Harmful),
            "booster: rows of harmful answers, which it looks at and does not learn.", "FILE…");
        Add(nameof(FineTuneRequest.BoosterLambda), "booster: how much the gain of a harmful step counts.", "LAMBDA");
        Add(nameof(FineTuneRequest.BoosterAlpha), "booster: the length of the harmful step.", "ALPHA");
    }

    private void AddAdapter()
    {
        Add(nameof(FineTuneRequest.Rank), "r: the rank of the update.", "R");
        Add(nameof(FineTuneRequest.Alpha), "α: the update is scaled by α/r.", "A");
        Add(nameof(FineTuneRequest.Dropout), "The share of the adapter's input that training drops.", "P|P%");
        Add(nameof(FineTuneRequest.Targets), "The linears that get an adapter.", "NAMES|all", separator: ',');
        Add(nameof(FineTuneRequest.RankStabilized), "Scale by α/√r instead (rsLoRA).", "true|false");
        Add(nameof(FineTuneRequest.Variant),
            "lora; dora: a trained magnitude for each row of a weight (arXiv:2402.09353); pissa: A and B begin as the "
            + "weight's largest singular vectors (arXiv:2404.02948), saved as a LoRA of twice the rank.");
        Add(nameof(FineTuneRequest.LoraPlusRatio),
            "LoRA+: how many times the learning rate every B moves at; 1 is plain, its authors use 16 "
            + "(arXiv:2402.12354).", "RATIO");
        Add(nameof(FineTuneRequest.NeftuneAlpha),
            "NEFTune: noise on the embedded tokens while training; 0 adds none, its authors use 5 to 15 "
            + "(arXiv:2310.05914).", "ALPHA");
    }

    private void AddSteps()
    {
        Add(nameof(FineTuneRequest.Epochs), "Passes over the data.", "E");
        Add(nameof(FineTuneRequest.Steps), "Instead: optimizer steps.", "N");
        Add(nameof(FineTuneRequest.BatchSize), "Rows of an optimizer step.", "ROWS");
        Add(nameof(FineTuneRequest.MicroBatch),
            "Rows that pass through the model at once; fewer need less memory. Where not given, the largest up to the "
            + "default that divides --batch-size.", "ROWS");
        Add(nameof(FineTuneRequest.Recompute),
            "What backward computes again: nothing, or each block from its input (less memory, about a third more "
            + "work).");
        Add(nameof(FineTuneRequest.LearningRate), "The peak of the learning rate.", "RATE");
        Add(nameof(FineTuneRequest.Schedule), "How the learning rate falls after its peak.");
        Add(nameof(FineTuneRequest.WarmupSteps), "Steps over which the learning rate rises from 0.", "N|P|P%");
        Add(nameof(FineTuneRequest.WeightDecay), "AdamW's decay; norms and biases do not decay.", "LAMBDA");
        Add(nameof(FineTuneRequest.Beta1), "AdamW's decay of the first moment.", "B");
        Add(nameof(FineTuneRequest.Beta2), "AdamW's decay of the second moment.", "B");
        Add(nameof(FineTuneRequest.AdamEpsilon), "Added to the root of the second moment.", "E");
        Add(nameof(FineTuneRequest.MaxGradNorm), "Clip the global gradient norm; 0 does not.", "NORM");
        Add(nameof(FineTuneRequest.LossDivisor),
            "What the summed loss is divided by: all targets of the step, or Hugging Face's newer or older rule.");
        Add(nameof(FineTuneRequest.EvaluateEvery), "From one validation and checkpoint to the next.", "STEPS");
        Add(nameof(FineTuneRequest.Patience),
            "Stop after so many validations without a better loss; 0 never does.", "N");
        Add(nameof(FineTuneRequest.UntilLoss),
            "Stop at the first validation whose loss is this or less; the run ends with a note where none is.", "LOSS");
        Add(nameof(FineTuneRequest.KeepCheckpoints), "Checkpoints kept beside the best.", "N");
    }
}
