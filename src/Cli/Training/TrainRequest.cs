using SafeLlama.Cli.Settings;
using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Training;

namespace SafeLlama.Cli.Training;

/// <summary>Settings made into the records that the rooms take; what contradicts itself is refused.</summary>
internal static class TrainRequest
{
    /// <exception cref="SafeLlamaException">Settings exclude each other, or one that is needed is missing.</exception>
    public static void CheckTogether(SettingTable s)
    {
        var model = s.Has(TrainSettings.Model);
        Must(model != s.Has(TrainSettings.Init),
            "give --model DIR to fine-tune, or --init CONFIG.json --tokenizer DIR to begin anew: one of them.");
        Must(model || s.Has(TrainSettings.Tokenizer),
            "--init needs --tokenizer DIR: the folder of the tokenizer that goes with the new model.");
        Must(s.Has(TrainSettings.Data), "--data FILE… is missing: what is to be learned?");
        Must(!(s.Has(TrainSettings.Steps) && s.IsSaid(TrainSettings.Epochs)),
            "--steps and --epochs say the same thing twice; give one.");
        Must(!(s.Has(TrainSettings.SafetyExamples) && s.Has(TrainSettings.SafetyShare)),
            "--safety-examples and --safety-share say the same thing twice; give one.");
        var safety = s.Has(TrainSettings.Safety);
        Must(safety == (s.Has(TrainSettings.SafetyExamples) || s.Has(TrainSettings.SafetyShare)), safety
            ? "--safety needs --safety-examples N or --safety-share P: how many of its rows are mixed in."
            : "--safety-examples and --safety-share need --safety FILE to draw from.");
        foreach (var (settings, why) in Inert(s))
        {
            var said = settings.Where(s.IsSaid).Select(x => x.Flag).ToList();
            Must(said.Count == 0, $"{string.Join(", ", said)} would have no effect: {why}.");
        }
    }

    /// <summary>
    /// Settings that this run would not heed, and why: said they are refused, else they are not shown.
    /// </summary>
    public static IEnumerable<(IReadOnlyList<Setting> Settings, string Why)> Inert(SettingTable s)
    {
        Setting[] lora =
        [
            TrainSettings.Rank, TrainSettings.Alpha, TrainSettings.Dropout, TrainSettings.Targets,
            TrainSettings.RankStabilized,
        ];
        if (s.Has(TrainSettings.Init))
        {
            yield return ([.. lora, TrainSettings.Adapter, TrainSettings.Full], "--init trains all weights anew");
        }
        else if (s.Get(TrainSettings.Full))
        {
            yield return ([.. lora, TrainSettings.Adapter], "--full trains all weights");
        }
        else
        {
            yield return ([TrainSettings.Type], "an adapter is stored in fp32");
        }

        if (s.Has(TrainSettings.Adapter))
        {
            yield return (lora, "--adapter brings its own");
        }

        if (s.Has(TrainSettings.Steps))
        {
            yield return ([TrainSettings.Epochs], "--steps says how long");
        }

        if (s.Get(TrainSettings.Device) == "reference" || OnCuda(s))
        {
            yield return ([TrainSettings.Threads], $"--device {s.Get(TrainSettings.Device)} does not use them");
        }
    }

    /// <summary>Whether all weights learn.</summary>
    public static bool IsFull(SettingTable s) => s.Has(TrainSettings.Init) || s.Get(TrainSettings.Full);

    public static TrainingConfig Config(SettingTable s) => new()
    {
        Lora = IsFull(s) ? null : s.Find(TrainSettings.Adapter) is { } adapter ? PeftFolder.ReadConfig(adapter)
            : new LoraConfig
            {
                Rank = s.Get(TrainSettings.Rank),
                Alpha = s.Get(TrainSettings.Alpha),
                Dropout = s.Get(TrainSettings.Dropout),
                Targets = LoraConfig.ParseTargets(s.TextOf(TrainSettings.Targets)),
                RankStabilized = s.Get(TrainSettings.RankStabilized),
            },
        Epochs = s.Get(TrainSettings.Epochs),
        Steps = s.Find(TrainSettings.Steps),
        BatchSize = s.Get(TrainSettings.BatchSize),
        MicroBatch = s.Get(TrainSettings.MicroBatch),
        Recompute = s.Get(TrainSettings.Recompute),
        LearningRate = s.Get(TrainSettings.LearningRate),
        Schedule = s.Get(TrainSettings.Schedule),
        Warmup = s.Get(TrainSettings.Warmup),
        Optimizer = new AdamWSettings(
            s.Get(TrainSettings.Beta1), s.Get(TrainSettings.Beta2), s.Get(TrainSettings.Epsilon),
            s.Get(TrainSettings.WeightDecay)),
        MaxGradientNorm = s.Get(TrainSettings.MaxGradNorm),
        Divisor = s.Get(TrainSettings.Divisor),
        EvaluateEvery = s.Get(TrainSettings.EvaluateEvery),
        Patience = s.Get(TrainSettings.Patience),
        KeepCheckpoints = s.Get(TrainSettings.KeepCheckpoints),
        Seed = s.Get(TrainSettings.Seed),
    };

    public static int Threads(SettingTable s) => s.Find(TrainSettings.Threads) ?? Environment.ProcessorCount;

    /// <summary>The bytes the run may use: as asked for, or the device's own memory, or the host's.</summary>
    public static long Memory(SettingTable s, IBackend backend) => s.Find(TrainSettings.Memory) is { } gibibytes
        ? (long)(gibibytes * (1L << 30))
        : backend.MemoryBytes ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    private static bool OnCuda(SettingTable s) =>
        s.Get(TrainSettings.Device).StartsWith("cuda", StringComparison.Ordinal);

    private static void Must(bool fine, string fault)
    {
        if (!fine)
        {
            throw SafeLlamaException.Usage("train: " + fault);
        }
    }
}
