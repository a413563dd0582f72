using SafeLlama.Cli.Options;
using SafeLlama.Common;
using SafeLlama.Evaluation;
using SafeLlama.Inference;
using SafeLlama.Model;
using SafeLlama.Study;

namespace SafeLlama.Cli.Attacks;

/// <summary>The model, the prompts and the attacks that options name.</summary>
internal sealed class AttackChoice
{
    private readonly AttackOptions.Request _asked;
    private readonly IReadOnlyList<PromptSuite> _suites;
    private readonly IReadOnlyList<PromptSuite> _benign;
    private readonly ResponseImport.Result? _answers;
    private readonly Dictionary<string, string> _lists;
    private readonly IReadOnlyList<Wrapper> _wrappers;

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
        _benign = [.. asked.Benign.Select(s => SuiteRegistry.Open(s, asked.Suites, PromptLabel.Benign))];
        _answers = asked.Answers is { } file ? ResponseImport.Read(file, _suites) : null;
        Terminal.Notes(_answers?.Notes ?? []);
        _wrappers = asked.Wrappers is { } wrappers ? Wrapper.Read(wrappers) : [];
        _lists = new Dictionary<string, string>(AttackList.Defaults)
        {
            [WrapperTrial.Name] = string.Join('/', Wrapper.All.Concat(_wrappers).Select(w => w.Name)),
            [FineTuneTrial.Harmful] = FineTuneTrial.Usual,
            [FineTuneTrial.Benign] = FineTuneTrial.Usual,
            [DirectionTrial.Name] = Layers(LlamaConfig.Load(asked.Model!).Layers),
        };
        foreach (var missing in asked.Artifacts.Where(file => !File.Exists(file)))
        {
            throw SafeLlamaException.Usage($"`{nameof(asked.Artifacts)}` {missing}: is not there.");
        }

        Trials = [.. Items().SelectMany(Trial), .. asked.Artifacts.Select(file => new ArtifactTrial(file))];
        MustMatter();
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
            ForGradients = _asked.Adapter is not null
                && (Tries(SuffixTrial.Name) || (_asked.DryRun && Trials.Any(t => t is FineTuneTrial))),
            OwnsBackend = true,
        });
        opened.Add(session);
        Terminal.Notes(session.Notes);
        return session;
    }

    public AttackPlan Plan(
        LlamaSession session, IReadOnlyList<IJudge> judges, IReadOnlyDictionary<string, JudgeCard> cards) =>
        new(_asked.Out ?? "", session, DecodingConfig.Greedy(_asked.MaxNewTokens), _suites, Trials, judges)
        {
            Benign = _benign,
            Quality = _asked.Quality,
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

    private IEnumerable<(string Attack, IReadOnlyList<string> Settings)> Items() =>
        (_asked.Attacks.Count + _asked.Artifacts.Count == 0 ? [WrapperTrial.Name, PrefillTrial.Name] : _asked.Attacks)
            .SelectMany(text => text.Split(',', StringSplitOptions.RemoveEmptyEntries))
            .Select(text => AttackList.Parse(text, _lists));

    private IEnumerable<IAttackTrial> Trial((string Attack, IReadOnlyList<string> Settings) item)
    {
        if (item.Attack is not (FineTuneTrial.Harmful or FineTuneTrial.Benign))
        {
            return AttackList.Trials(
                item.Attack, item.Settings, _wrappers, _answers?.Sha256 ?? "");
        }

        var harmful = item.Attack == FineTuneTrial.Harmful;
        var rows = (harmful ? _asked.HarmfulRows : _asked.BenignRows) ?? throw SafeLlamaException.Usage(
            $"`Attacks` {item.Attack}: needs rows to learn from.",
            harmful ? "name a file with `HarmfulRows`" : "name a file with `BenignRows`");
        if (!File.Exists(rows))
        {
            throw SafeLlamaException.Usage(
                $"`{(harmful ? nameof(_asked.HarmfulRows) : nameof(_asked.BenignRows))}` {rows}: is not there.");
        }

        var target = new FineTuneTarget(
            _asked.Model!, _asked.Adapter, new(_asked.Load, _asked.Nested), _asked.Template, () => Devices.Open(_asked));
        return item.Settings.Select(setting =>
            new FineTuneTrial(item.Attack, rows, FineTuneSettings.Parse(item.Attack, setting), target));
    }

    private bool Tries(params string[] attacks) => Trials.Any(t => attacks.Contains(t.Attack));

    /// <summary>An option that no attack reads is refused.</summary>
    private void MustMatter()
    {
        var changes = Trials.Any(t => t.ChangesModel);
        foreach (var (given, property, isRead, readers) in ((bool, string, bool, string)[])
        [
            (_asked.Answers is not null, nameof(_asked.Answers),
                Tries(PrefillTrial.Name, ManyShotTrial.Name, SuffixTrial.Name), "prefill, many-shot and suffix"),
            (_asked.Wrappers is not null, nameof(_asked.Wrappers), Tries(WrapperTrial.Name), "wrappers"),
            (_asked.JudgePrefill, nameof(_asked.JudgePrefill), Tries(PrefillTrial.Name), "prefill"),
            (_asked.HarmfulRows is not null, nameof(_asked.HarmfulRows), Tries(FineTuneTrial.Harmful), "harmful-rows"),
            (_asked.BenignRows is not null, nameof(_asked.BenignRows), Tries(FineTuneTrial.Benign), "benign-rows"),
            (_asked.Benign.Count > 0, nameof(_asked.Benign), changes || Tries(ManyShotTrial.Name),
                "attacks that change the model, and by many-shot"),
            (_asked.Quality != new AttackOptions.Request().Quality, nameof(_asked.Quality), changes,
                "attacks that change the model"),
        ])
        {
            if (given && !isRead)
            {
                throw SafeLlamaException.Usage(
                    $"`{property}` has no effect: it is read by {readers}, of which none is in `Attacks`.");
            }
        }
    }

    /// <summary>At most eight places of the stream, evenly spread; before block 0 there is only the
    /// embedding.</summary>
    private static string Layers(int blocks)
    {
        const int Most = 8;
        return string.Join('/', Enumerable.Range(1, Math.Min(blocks, Most)).Select(
            i => Math.Max(1, i * blocks / Math.Min(blocks, Most))));
    }

    private static void Positive(double value, string property, int least)
    {
        if (!(value >= least && double.IsFinite(value)))
        {
            throw SafeLlamaException.Usage($"`{property}` {value}: expected {least} or more.");
        }
    }
}
