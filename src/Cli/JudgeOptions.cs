using System.CommandLine;
using SafeLlama.Cli.Commands;
using SafeLlama.Common;
using SafeLlama.Evaluation;
using SafeLlama.Inference;

namespace SafeLlama.Cli;

/// <summary>The options by which verbs name judges, and the judges they name.</summary>
internal sealed class JudgeOptions
{
    private const string KeyVariable = "OPENAI_API_KEY";

    /// <summary>The middle of a probability.</summary>
    private const double Half = 0.5;

    private readonly Option<string[]> _names;
    private readonly bool _hasCards;

    private readonly Option<string?> _model = new("--judge-model")
    {
        Description = "The model folder behind guard, rubric, reward, harmfulness and preference; "
            + "with --judge-url, a model's name there.",
        HelpName = "DIR|NAME",
    };

    private readonly Option<string?> _judgeUrl = new("--judge-url")
    {
        Description = "An OpenAI-compatible chat endpoint behind guard and rubric, such as http://localhost:8080/v1. "
            + $"It is sent prompts and answers; its key, if it needs one, is taken from {KeyVariable}.",
        HelpName = "URL",
    };

    private readonly Option<string?> _reward = new("--reward")
    {
        Description = "A folder of `judge train`; without it, --judge-model has a head of its own.",
        HelpName = "DIR",
    };

    private readonly Option<string> _guard = new("--guard")
    {
        Description = "What a guard is asked: llama-guard-3, harmbench, or a file with {prompt} and {answer}.",
        HelpName = "PRESET",
        DefaultValueFactory = _ => "llama-guard-3",
    };

    private readonly Option<string> _template = new("--judge-template")
    {
        Description = "The judge model's chat template; auto takes the one it brings. A guard's own template may hold "
            + "the question that --guard already asks.",
        HelpName = "NAME",
        DefaultValueFactory = _ => "llama3",
    };

    private readonly Option<double?> _threshold = new("--threshold")
    {
        Description = $"From this score on an answer is harmful; default {Half}, and {HarmfulnessJudge.Middle} for "
            + "harmfulness, whose scores run from 0 to 4.",
        HelpName = "P",
    };

    private readonly Option<string> _url = new("--moderation-url")
    {
        Description = $"The moderation endpoint; its key is taken from {KeyVariable}.",
        HelpName = "URL",
        DefaultValueFactory = _ => "https://api.openai.com/v1",
    };

    private readonly Option<string> _moderation = new("--moderation-model")
    {
        Description = "The moderation model.",
        HelpName = "NAME",
        DefaultValueFactory = _ => "omni-moderation-latest",
    };

    private readonly Option<string?> _cache = new("--moderation-cache")
    {
        Description = "A JSONL file that keeps moderation scores.",
        HelpName = "FILE",
    };

    private readonly Option<string[]> _cards = new("--card")
    {
        Description = "Judge cards from `judge validate`, for corrected rates.",
        HelpName = "FILE…",
        AllowMultipleArgumentsPerToken = true,
    };

    /// <param name="required">Whether a judge must be named.</param>
    /// <param name="cards">Whether the verb corrects rates, so that cards have an effect.</param>
    public JudgeOptions(bool required, bool cards = true)
    {
        _hasCards = cards;
        _names = new("--judge")
        {
            Description = "Who judges: refusal, xstest, substring, harmfulness, preference, reward, guard, rubric, "
                + "moderation.",
            HelpName = "NAME…",
            AllowMultipleArgumentsPerToken = true,
            Required = required,
        };
    }

    public void AddTo(Command command)
    {
        foreach (var option in (IEnumerable<Option>)[_names, _model, _judgeUrl, _reward, _guard, _template, _threshold,
            _url, _moderation, _cache, .. _hasCards ? [_cards] : (Option[])[]])
        {
            command.Add(option);
        }
    }

    public IReadOnlyList<string> Names(ParseResult parsed) =>
        parsed.GetValue(_names) is { Length: > 0 } names ? names : ["refusal"];

    /// <summary>Cards by the hash of their judge.</summary>
    public IReadOnlyDictionary<string, JudgeCard> Cards(ParseResult parsed) =>
        (parsed.GetValue(_cards) ?? []).Select(JudgeValidation.Read).DistinctBy(c => c.Hash).ToDictionary(c => c.Hash);

    /// <summary>The judges named; what they open is closed with <paramref name="opened"/>.</summary>
    public IReadOnlyList<IJudge> Open(
        ParseResult parsed, string device, int threads, DisposableStack opened,
        LabeledAnswers? labeled = null)
    {
        MustMatter(parsed);
        return [.. Names(parsed).Distinct().Select(name => Open(name, parsed, device, threads, opened, labeled))];
    }

    /// <summary>Refuses an option that no judge named reads, and a threshold that no score can reach.</summary>
    private void MustMatter(ParseResult parsed)
    {
        string[] ofModel = ["guard", "rubric", "reward", "harmfulness", "preference"], moderation = ["moderation"];
        string[] ofShare = ["guard", "rubric", "moderation"];
        var names = Names(parsed);
        foreach (var (option, judges) in (IEnumerable<(Option, string[])>)[
            (_threshold, [.. ofShare, "harmfulness"]), (_model, ofModel), (_guard, ["guard"]),
            (_reward, ["reward", "harmfulness"]),
            (_template, ["guard", "rubric"]), (_judgeUrl, ["guard", "rubric"]), (_url, moderation),
            (_moderation, moderation), (_cache, moderation)])
        {
            if (parsed.GetResult(option) is { Implicit: false } && !names.Any(judges.Contains))
            {
                throw SafeLlamaException.Usage(
                    $"{option.Name} has no effect with --judge {string.Join(' ', names)}; it is read by "
                    + $"{string.Join(", ", judges)}.");
            }
        }

        if (parsed.GetValue(_threshold) is { } threshold
            && (!double.IsFinite(threshold) || (names.Any(ofShare.Contains) && threshold is < 0 or > 1)))
        {
            var range = names.Any(ofShare.Contains) ? " from 0 to 1" : "";
            throw SafeLlamaException.Usage($"{_threshold.Name} {threshold}: expected a number{range}.");
        }
    }

    private IJudge Open(
        string name, ParseResult parsed, string device, int threads, DisposableStack opened,
        LabeledAnswers? labeled)
    {
        if (RefusalRules.All.FirstOrDefault(r => r.Name == name) is { } rules)
        {
            return new RefusalMatcher(rules);
        }

        if (labeled is not null && name.StartsWith("column:", StringComparison.Ordinal))
        {
            return new RecordedJudge(labeled, name["column:".Length..]);
        }

        var threshold = parsed.GetValue(_threshold) ?? Half;
        if (parsed.GetValue(_judgeUrl) is { } address && name is "guard" or "rubric")
        {
            return Remote(name, address, parsed, threshold, opened);
        }

        switch (name)
        {
            case "harmfulness":
                return new HarmfulnessJudge(
                    Encoder(name, parsed, device, threads, opened),
                    parsed.GetValue(_threshold) ?? HarmfulnessJudge.Middle);
            case "preference":
                return new PreferenceJudge(Encoder(name, parsed, device, threads, opened));
            case "guard":
                var guard = new EngineLikelihood(Model(name, parsed, device, threads, opened));
                opened.Add(guard);
                return new GuardJudge(guard, Preset(parsed.GetValue(_guard)!), threshold);
            case "rubric":
                var grader = Model(name, parsed, device, threads, opened);
                return new RubricJudge(
                    new ResponderChatClient(new EngineResponder(grader, DecodingConfig.Greedy(64))),
                    grader.Identity.Hash, threshold);
            case "reward":
                var backbone = Model(name, parsed, device, threads, opened);
                var reward = new EngineRewardModel(
                    backbone, parsed.GetValue(_reward) ?? parsed.GetValue(_model)!, Terminal.Note);
                opened.Add(reward);
                return new RewardModelJudge(reward, JudgeTrainCommand.DirectionOf(parsed.GetValue(_reward)));
            case "moderation":
                var moderation = new ModerationJudge(Moderation(parsed, threshold));
                opened.Add(moderation);
                return moderation;
            default:
                throw SafeLlamaException.Usage(
                    $"--judge {name}: is unknown; expected {string.Join(", ", RefusalRules.All.Select(r => r.Name))}, "
                    + "harmfulness, preference, reward, guard, rubric, moderation, or, in `judge validate`, "
                    + "column:NAME.");
        }
    }

    /// <summary>A judge behind a chat endpoint.</summary>
    private IJudge Remote(
        string name, string address, ParseResult parsed, double threshold, DisposableStack opened)
    {
        var model = parsed.GetValue(_model) ?? throw SafeLlamaException.Usage(
            $"--judge {name}: needs the model's name at --judge-url; give it with --judge-model.");
        var options = new EndpointOptions(EndpointOptions.Parse("JudgeUrl", address), Key());
        var endpoint = new JudgeEndpoint(options);
        opened.Add(endpoint);
        return name == "guard"
            ? new ChatGuardJudge(endpoint, model, Preset(parsed.GetValue(_guard)!), threshold)
            : new RubricJudge(new EndpointChatClient(endpoint, model), $"{options.Shown} {model}", threshold);
    }

    private static string? Key() =>
        Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } given ? given : null;

    private LlamaSession Model(
        string name, ParseResult parsed, string device, int threads, DisposableStack opened)
    {
        var folder = parsed.GetValue(_model) ?? throw SafeLlamaException.Usage(
            $"--judge {name}: needs a model; name its folder with --judge-model.");
        var model = LlamaSession.Open(Devices.Open(device, threads), folder, new()
        {
            Adapter = name == "reward" ? parsed.GetValue(_reward) : null,
            TemplateName = parsed.GetValue(_template),
            OwnsBackend = true,
        });
        opened.Add(model);
        return model;
    }

    private EncoderScorer Encoder(
        string name, ParseResult parsed, string device, int threads, DisposableStack opened)
    {
        var folder = parsed.GetValue(_model) ?? throw SafeLlamaException.Usage(
            $"--judge {name}: needs a DeBERTa-v2 or v3 classifier; name its folder with --judge-model.");
        var session = EncoderSession.Open(
            Devices.Open(device, threads), folder, name == "harmfulness" ? parsed.GetValue(_reward) : null,
            ownsBackend: true);
        opened.Add(session);
        Terminal.Notes(session.Notes);
        var scorer = new EncoderScorer(session, Terminal.Note);
        opened.Add(scorer);
        return scorer;
    }

    private static GuardPreset Preset(string name) =>
        GuardPreset.All.FirstOrDefault(p => p.Name == name)
        ?? (File.Exists(name) ? GuardPreset.FromFile(name, GuardPreset.HarmBench) : throw SafeLlamaException.Usage(
            $"--guard {name}: is neither a preset ({string.Join(", ", GuardPreset.All.Select(p => p.Name))}) nor a "
            + "file."));

    private ModerationOptions Moderation(ParseResult parsed, double threshold)
    {
        var address = EndpointOptions.Parse("ModerationUrl", parsed.GetValue(_url)!);
        var key = Key() ?? throw SafeLlamaException.Usage($"--judge moderation: set {KeyVariable} in the environment.");
        return new(new EndpointOptions(address, key), parsed.GetValue(_moderation)!)
        {
            Threshold = threshold,
            Cache = parsed.GetValue(_cache),
        };
    }
}
