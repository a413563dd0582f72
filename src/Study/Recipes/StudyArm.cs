using System.Text.Json.Serialization;
using SafeLlama.Common;
using SafeLlama.Model;

namespace SafeLlama.Study;

/// <summary>One arm: a dose of safety demonstrations, and other differences from the study's settings.</summary>
public sealed record StudyArm
{
    public required string Name { get; init; }

    /// <summary>Number of safety demonstrations; null where a share is given.</summary>
    public int? SafetyExamples { get; init; }

    /// <summary>Ns / (Nb + Ns); null where a number is given.</summary>
    [JsonConverter(typeof(ShareConverter))]
    public double? SafetyShare { get; init; }

    /// <summary>The wording of the demonstrations.</summary>
    public SafetyFormat Format { get; init; } = SafetyFormat.Instruction;

    /// <summary>How demonstrations are chosen from those that there are.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public RowSelection Selection { get; init; }

    /// <summary>True for an arm that a round of refinement added; recipes hold none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Added { get; init; }

    /// <summary>What the demonstrations are made of; the world's usual ones where not given.</summary>
    public SafetyRows? Safety { get; init; }

    /// <summary>Share of benign rows that are safe but sound harmful; null for the world's dial.</summary>
    [JsonConverter(typeof(ShareConverter))]
    public double? SafeScary { get; init; }

    /// <summary>The arm whose adapter this one goes on from; null to begin anew.</summary>
    public string? After { get; init; }

    /// <summary>How it learns from pairs, instead of rows and demonstrations; null where it does not.</summary>
    public StudyPreference? Preference { get; init; }

    /// <summary>What makes it harder to turn; null for nothing.</summary>
    public StudyDefense? Defense { get; init; }

    /// <summary>True for the base model as it is: nothing is trained.</summary>
    public bool Untrained { get; init; }

    public int? Rank { get; init; }

    public double? Alpha { get; init; }

    public IReadOnlyList<string>? Targets { get; init; }

    public double? Epochs { get; init; }

    public double? LearningRate { get; init; }

    /// <summary>How the update begins and what it learns; plain LoRA where not given.</summary>
    public LoraVariant? Variant { get; init; }

    /// <summary>LoRA+: how many times the learning rate every B moves at; 1 where not given.</summary>
    public double? LoraPlusRatio { get; init; }

    /// <summary>NEFTune's α; no noise where not given.</summary>
    public double? NeftuneAlpha { get; init; }

    /// <summary>How the base's weights are held; as they are stored where not given.</summary>
    public LoadAs? Load { get; init; }

    /// <summary>The study's training settings, overridden by this arm's.</summary>
    public StudyTraining Apply(StudyTraining training) => training with
    {
        Rank = Rank ?? training.Rank,
        Alpha = Alpha ?? training.Alpha,
        Targets = Targets ?? training.Targets,
        Epochs = Epochs ?? training.Epochs,
        LearningRate = LearningRate ?? training.LearningRate,
        Variant = Variant ?? training.Variant,
        LoraPlusRatio = LoraPlusRatio ?? training.LoraPlusRatio,
        NeftuneAlpha = NeftuneAlpha ?? training.NeftuneAlpha,
        Load = Load ?? training.Load,
    };

    /// <summary>The settings given that decide a training alone.</summary>
    internal IEnumerable<string> WithoutEffect() => new (string Name, bool Given)[]
    {
        ("safety_examples", SafetyExamples > 0), ("safety_share", SafetyShare > 0),
        ("format", Format != SafetyFormat.Instruction), ("safety", Safety is not null),
        ("safe_scary", SafeScary is not null), ("preference", Preference is not null),
        ("defense", Defense is not null), ("rank", Rank is not null), ("alpha", Alpha is not null),
        ("targets", Targets is not null), ("epochs", Epochs is not null),
        ("learning_rate", LearningRate is not null), ("variant", Variant is not null),
        ("lora_plus_ratio", LoraPlusRatio is not null), ("neftune_alpha", NeftuneAlpha is not null),
    }.Where(setting => setting.Given).Select(setting => setting.Name);

    /// <summary>Whether this arm is another one without its demonstrations: trained, with all other settings the
    /// same.</summary>
    /// <param name="other">The arm with demonstrations.</param>
    /// <param name="benign">Nb.</param>
    public bool IsWithoutDemonstrations(StudyArm other, int benign) =>
        !Untrained && Demonstrations(benign) == 0 && WithoutDose() == other.WithoutDose()
        && (Targets ?? []).SequenceEqual(other.Targets ?? []);

    /// <summary>What tells of no demonstrations; lists, which records compare by reference, are left out.</summary>
    private StudyArm WithoutDose() => this with
    {
        Name = "",
        SafetyExamples = null,
        SafetyShare = null,
        Format = default,
        Selection = default,
        Safety = null,
        Added = false,
        Targets = null,
    };

    /// <summary>Ns, from the number or from the share of <paramref name="benign"/> + Ns.</summary>
    public int Demonstrations(int benign) => SafetyExamples
        ?? (int)Math.Round(benign * (SafetyShare ?? 0) / (1 - (SafetyShare ?? 0)), MidpointRounding.AwayFromZero);
}
