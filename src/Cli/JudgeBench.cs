using System.CommandLine;
using SafeLlama.Cli.Commands;
using SafeLlama.Cli.Options;
using SafeLlama.Common;
using SafeLlama.Evaluation;
using SafeLlama.Inference;
using SafeLlama.Study;

namespace SafeLlama.Cli;

/// <summary>The judges that options name.</summary>
/// <param name="where">Where judges with a model compute.</param>
/// <param name="opened">Closes what the judges open.</param>
internal sealed class JudgeBench(JudgeOptions options, ParseResult parsed, IComputes where, DisposableStack opened)
{
    public const string KeyVariable = "OPENAI_API_KEY";

    /// <summary>The middle of a probability.</summary>
    public const double Half = 0.5;

    /// <summary>Every judge there is.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. RefusalRules.All.Select(rules => rules.Name), "harmfulness", "preference", "reward", "guard", "rubric",
        "moderation", "world", "world-request",
    ];

    private static readonly string[] WithModel = ["guard", "rubric", "reward", "harmfulness", "preference"];

    private readonly JudgeOptions.Request _asked = options.Read(parsed);
    private readonly OpenedEncoders _encoders = new(where, opened);

    /// <summary>The judges named.</summary>
    public IReadOnlyList<IJudge> Open(LabeledAnswers? labeled = null)
    {
        MustMatter();
        return [.. _asked.Names.Distinct().Select(name => Open(name, labeled))];
    }

    /// <summary>Cards by the hash of their judge.</summary>
    public IReadOnlyDictionary<string, JudgeCard> Cards() =>
        _asked.Card.Select(JudgeValidation.Read).DistinctBy(c => c.Hash).ToDictionary(c => c.Hash);

    /// <summary>Refuses to be told where to compute where no judge named has a model of its own.</summary>
    public void RefuseIdleDevice<T>(OptionSet<T> places, ParseResult command)
        where T : class, IComputes, new()
    {
        if (!_asked.Names.Any(name => WithModel.Contains(name) && (_asked.JudgeUrl is null || !Chats(name))))
        {
            places.Refuse(command, $"with --judge {string.Join(' ', _asked.Names)}: nothing is computed there",
                nameof(IComputes.Device), nameof(IComputes.Threads));
        }
    }

    /// <summary>Whether a judge may use a chat endpoint.</summary>
    private static bool Chats(string name) => name is "guard" or "rubric";

    /// <summary>Refuses an option that no judge named reads, and a threshold that no score can reach.</summary>
    private void MustMatter()
    {
        string[] moderation = ["moderation"], ofShare = ["guard", "rubric", "moderation"],
            ofPrompt = ["guard", "rubric"];
        foreach (var (property, judges) in (IEnumerable<(string, string[])>)[
            (nameof(_asked.Threshold), [.. ofShare, "harmfulness", "reward"]), (nameof(_asked.JudgeModel), WithModel),
            (nameof(_asked.Guard), ["guard"]), (nameof(_asked.Reward), ["reward", "harmfulness", "preference"]),
            (nameof(_asked.JudgeTemplate), ofPrompt), (nameof(_asked.JudgeUrl), ofPrompt),
            (nameof(_asked.ModerationUrl), moderation), (nameof(_asked.ModerationModel), moderation),
            (nameof(_asked.ModerationCache), moderation)])
        {
            if (options.FirstGiven(parsed, property) is { } flag && !_asked.Names.Any(judges.Contains))
            {
                throw SafeLlamaException.Usage(
                    $"{flag} has no effect with --judge {string.Join(' ', _asked.Names)}; it is read by "
                    + $"{string.Join(", ", judges)}.");
            }
        }

        var isShare = _asked.Names.Any(ofShare.Contains);
        if (isShare && _asked.Threshold is < 0 or > 1)
        {
            throw SafeLlamaException.Usage($"--threshold {_asked.Threshold}: expected a number from 0 to 1.");
        }
    }

    private IJudge Open(string name, LabeledAnswers? labeled)
    {
        if (RefusalRules.All.FirstOrDefault(r => r.Name == name) is { } rules)
        {
            return new RefusalMatcher(rules);
        }

        if (labeled is not null && name.StartsWith("column:", StringComparison.Ordinal))
        {
            return new RecordedJudge(labeled, name["column:".Length..]);
        }

        var threshold = _asked.Threshold ?? Half;
        if (_asked.JudgeUrl is { } address && Chats(name))
        {
            return Remote(name, address, threshold);
        }

        switch (name)
        {
            case "harmfulness":
                return new HarmfulnessJudge(Encoder(name), _asked.Threshold ?? HarmfulnessJudge.Middle);
            case "preference":
                return new PreferenceJudge(Encoder(name));
            case "guard":
                var guard = new EngineLikelihood(Model(name));
                opened.Add(guard);
                return new GuardJudge(guard, Preset(_asked.Guard), threshold);
            case "rubric":
                var grader = Model(name);
                return new RubricJudge(
                    new ResponderChatClient(new EngineResponder(grader, DecodingConfig.Greedy(64))),
                    grader.Identity.Hash, threshold);
            case "reward":
                var backbone = Model(name);
                var reward = new EngineRewardModel(
                    backbone, _asked.Reward ?? _asked.JudgeModel!, Terminal.Note);
                opened.Add(reward);
                return new RewardModelJudge(
                    reward, JudgeTrainCommand.DirectionOf(_asked.Reward), _asked.Threshold);
            case "moderation":
                var moderation = new ModerationJudge(Moderation(threshold));
                opened.Add(moderation);
                return moderation;
            case "world":
                return new WorldJudge();
            case "world-request":
                return new WorldRequestJudge();
            default:
                throw SafeLlamaException.Usage(
                    $"--judge {name}: is unknown{NearestName.Hint(name, Names)} Expected "
                    + $"{string.Join(", ", Names)}, or, in `judge validate`, column:NAME.");
        }
    }

    /// <summary>A judge behind a chat endpoint.</summary>
    private IJudge Remote(string name, string address, double threshold)
    {
        var model = _asked.JudgeModel ?? throw SafeLlamaException.Usage(
            $"--judge {name}: needs the model's name at --judge-url; give it with --judge-model.");
        var options = new EndpointOptions(EndpointOptions.Parse("JudgeUrl", address), Key());
        var endpoint = new JudgeEndpoint(options);
        opened.Add(endpoint);
        return name == "guard"
            ? new ChatGuardJudge(endpoint, model, Preset(_asked.Guard), threshold)
            : new RubricJudge(new EndpointChatClient(endpoint, model), $"{options.Shown} {model}", threshold);
    }

    private static string? Key() =>
        Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } given ? given : null;

    private LlamaSession Model(string name)
    {
        var folder = _asked.JudgeModel ?? throw SafeLlamaException.Usage(
            $"--judge {name}: needs a model; name its folder with --judge-model.");
        var model = LlamaSession.Open(Devices.Open(where), folder, new()
        {
            Adapter = name == "reward" ? _asked.Reward : null,
            TemplateName = _asked.JudgeTemplate,
            OwnsBackend = true,
        });
        opened.Add(model);
        return model;
    }

    private EncoderScorer Encoder(string name)
    {
        var folder = _asked.JudgeModel ?? throw SafeLlamaException.Usage(
            $"--judge {name}: needs a DeBERTa-v2 or v3 classifier; name its folder with --judge-model.");
        return _encoders.Open(folder, JudgeTrainCommand.FolderFor(name, _asked.Reward));
    }

    private static GuardPreset Preset(string name) =>
        GuardPreset.All.FirstOrDefault(p => p.Name == name)
        ?? (File.Exists(name) ? GuardPreset.FromFile(name, GuardPreset.HarmBench) : throw SafeLlamaException.Usage(
            $"--guard {name}: is neither a preset ({string.Join(", ", GuardPreset.All.Select(p => p.Name))}) nor a "
            + "file."));

    private ModerationOptions Moderation(double threshold)
    {
        var address = EndpointOptions.Parse("ModerationUrl", _asked.ModerationUrl);
        var key = Key() ?? throw SafeLlamaException.Usage($"--judge moderation: set {KeyVariable} in the environment.");
        return new(new EndpointOptions(address, key), _asked.ModerationModel)
        {
            Threshold = threshold,
            Cache = _asked.ModerationCache,
        };
    }
}
