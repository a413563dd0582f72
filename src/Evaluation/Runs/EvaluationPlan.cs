using SafeLlama.Distributed;

namespace SafeLlama.Evaluation;

/// <summary>What to evaluate: the source of answers, the judges, and the output folder.</summary>
/// <param name="Out">The run's folder.</param>
/// <param name="Suites">The prompts; empty only for imported answers that tell their own.</param>
/// <param name="Judges">In the order in which they judge.</param>
public sealed record EvaluationPlan(string Out, IReadOnlyList<PromptSuite> Suites, IReadOnlyList<IJudge> Judges)
{
    /// <summary>The model that answers; null where <see cref="Imported"/> has the answers.</summary>
    public IResponder? Responder { get; init; }

    /// <summary>Answers made elsewhere.</summary>
    public ResponseImport.Result? Imported { get; init; }

    /// <summary>Hashes and versions for the manifest, by name.</summary>
    public IReadOnlyDictionary<string, string> Facts { get; init; } = new Dictionary<string, string>();

    /// <summary>What the user calls model and adapter.</summary>
    public RunManifest.RunNames? Names { get; init; }

    /// <summary>Judge cards by judge hash.</summary>
    public IReadOnlyDictionary<string, JudgeCard> Cards { get; init; } = new Dictionary<string, JudgeCard>();

    /// <summary>Answers per prompt; more than one makes sense with sampling only.</summary>
    public int Samples { get; init; } = 1;

    /// <summary>Prompts answered together; results do not depend on it.</summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>The seed of the statistics.</summary>
    public long Seed { get; init; }

    /// <summary>The processes that answer: rank 0 deals prompts out, judges and writes.</summary>
    public ICommunicator Ranks { get; init; } = SingleProcess.Instance;

    /// <summary>Whether to resume the run in the folder.</summary>
    public bool Resume { get; init; }

    /// <summary>The prompts that the run has answers to.</summary>
    public IReadOnlyList<SuitePrompt> Prompts => Imported is { } imported
        ? [.. imported.Items.Select(i => i.Prompt).DistinctBy(p => p.Key)]
        : [.. Suites.SelectMany(s => s.Prompts)];

    /// <summary>The judges of the run: those named, and those of the resumed run.</summary>
    public IReadOnlyCollection<JudgeIdentity> AllJudges =>
    [
        .. Judges.Select(j => j.Identity),
        .. Resume && File.Exists(Path.Combine(Out, RunManifest.FileName))
            ? RunManifest.Read(Out).Judges.Select(j => j.Identity)
            : [],
    ];
}

/// <summary>The progress of a run.</summary>
/// <param name="Stage"><c>answers</c>, or <c>verdicts of</c> a judge.</param>
/// <param name="Done">How many are on the disk.</param>
/// <param name="Total">How many there will be.</param>
public readonly record struct EvaluationProgress(string Stage, int Done, int Total)
{
    /// <summary>The stage in which the model answers.</summary>
    public const string Answers = "answers";
}
