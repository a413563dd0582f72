using SafeLlama.Inference;

namespace SafeLlama.Evaluation;

/// <summary>What to attack, with what, and how the result is judged.</summary>
/// <param name="Out">The run's folder.</param>
/// <param name="Session">The model under attack; it outlives the run.</param>
/// <param name="Decoding">How it answers.</param>
/// <param name="Suites">The prompts; those that a safe model refuses are attacked.</param>
/// <param name="Trials">The attempts, in the order in which they are made.</param>
/// <param name="Judges">The first one decides which exchanges an attack may show; each gives a result.</param>
public sealed record AttackPlan(
    string Out,
    LlamaSession Session,
    DecodingConfig Decoding,
    IReadOnlyList<PromptSuite> Suites,
    IReadOnlyList<IAttackTrial> Trials,
    IReadOnlyList<IJudge> Judges)
{
    /// <summary>The prompts on which utility is measured; empty where no attack changes the model.</summary>
    public IReadOnlyList<PromptSuite> Benign { get; init; } = [];

    /// <summary>
    /// An attack that changes the model counts where its quality is at least this share of the clean model's.
    /// </summary>
    public double Quality { get; init; } = 0.9;

    /// <summary>The most trials; 0 makes them all.</summary>
    public int MaxTrials { get; init; }

    /// <summary>No trial begins after so many seconds; 0 is no limit. The number of trials then depends on the
    /// machine.</summary>
    public double MaxSeconds { get; init; }

    /// <summary>The most unsafe prompts, drawn by the seed; 0 takes them all.</summary>
    public int MaxPrompts { get; init; }

    /// <summary>Answers of another model, by <see cref="SuitePrompt.Key"/>.</summary>
    public IReadOnlyDictionary<string, string> Answers { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether a prefilled beginning belongs to the answer that judges read.</summary>
    public bool JudgePrefill { get; init; }

    /// <summary>What the user calls model and adapter.</summary>
    public RunManifest.RunNames? Names { get; init; }

    /// <summary>Judge cards by judge hash.</summary>
    public IReadOnlyDictionary<string, JudgeCard> Cards { get; init; } = new Dictionary<string, JudgeCard>();

    /// <summary>Prompts answered together; results do not depend on it.</summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>Seeds every random choice.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>Whether to go on with the run in the folder.</summary>
    public bool Resume { get; init; }
}

/// <summary>The progress of an attack run.</summary>
/// <param name="Trial">The trial's name; <c>clean</c> for the run without an attack.</param>
/// <param name="Number">From 0, which is the clean run.</param>
/// <param name="Total">All trials.</param>
/// <param name="Inner">How far it is.</param>
public readonly record struct AttackProgress(string Trial, int Number, int Total, EvaluationProgress Inner);
