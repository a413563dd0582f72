using SafeLlama.Cli.Options;
using SafeLlama.Common;
using SafeLlama.Evaluation;
using SafeLlama.Inference;

namespace SafeLlama.Cli.Attacks;

/// <summary>The model, the prompts and the attacks that options name.</summary>
internal sealed class AttackChoice
{
    private readonly AttackOptions.Request _asked;
    private readonly IReadOnlyList<PromptSuite> _suites;
    private readonly IReadOnlyList<PromptSuite> _benign;
    private readonly ResponseImport.Result? _answers;

    /// <exception cref="SafeLlamaException">A file cannot be read, or an option has no effect.</exception>
    public AttackChoice(AttackOptions.Request asked)
    {
        _asked = asked;
        Positive(asked.MaxNewTokens, nameof(asked.MaxNewTokens), 1);
        Positive(asked.BatchSize, nameof(asked.BatchSize), 1);
        Positive(asked.MaxPrompts, nameof(asked.MaxPrompts), 0);
        Positive(asked.MaxTrials, nameof(asked.MaxTrials), 0);
        Positive(asked.MaxSeconds, nameof(asked.MaxSeconds), 0);
        _suites = [.. asked.Suite.Select(s => SuiteRegistry.Open(s, asked.Suites))];
        _benign = [.. asked.Benign.Select(s => SuiteRegistry.Open(s, asked.Suites))];
        _answers = asked.Answers is { } file ? ResponseImport.Read(file, _suites) : null;
        Terminal.Notes(_answers?.Notes ?? []);
        Trials = [.. Items().SelectMany(item =>
            AttackList.Trials(item.Attack, item.Settings, [], _answers?.Sha256 ?? ""))];
    }

    public IReadOnlyList<IAttackTrial> Trials { get; }

    public LlamaSession Open(DisposableStack opened)
    {
        var session = LlamaSession.Open(Devices.Open(_asked), _asked.Model!, new()
        {
            Adapter = _asked.Adapter,
            Load = new(_asked.Load, _asked.Nested),
            TemplateName = _asked.Template,
            MaxLength = _asked.MaxLength,
            OwnsBackend = true,
        });
        opened.Add(session);
        Terminal.Notes(session.Notes);
        return session;
    }

    public AttackPlan Plan(
        LlamaSession session, IReadOnlyList<IJudge> judges, IReadOnlyDictionary<string, JudgeCard> cards) =>
        new(_asked.Out!, session, DecodingConfig.Greedy(_asked.MaxNewTokens), _suites, Trials, judges)
        {
            Benign = _benign,
            MaxTrials = _asked.MaxTrials,
            MaxSeconds = _asked.MaxSeconds,
            MaxPrompts = _asked.MaxPrompts,
            Answers = _answers?.Items.Where(i => i.Response.Sample == 0)
                .ToDictionary(i => i.Prompt.Key, i => i.Response.Answer) ?? [],
            JudgePrefill = _asked.JudgePrefill,
            Names = RunManifest.RunNames.Of(_asked.Model!, _asked.Adapter),
            Cards = cards,
            BatchSize = _asked.BatchSize,
            Seed = _asked.Seed,
            Resume = _asked.Resume,
        };

    private List<(string Attack, IReadOnlyList<string> Settings)> Items() =>
    [
        .. _asked.Attacks.SelectMany(text => text.Split(',', StringSplitOptions.RemoveEmptyEntries))
            .Select(text => AttackList.Parse(text, AttackList.Defaults)),
    ];

    private static void Positive(double value, string property, int least)
    {
        if (!(value >= least && double.IsFinite(value)))
        {
            throw SafeLlamaException.Usage($"`{property}` {value}: expected {least} or more.");
        }
    }
}
