using System.CommandLine;
using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Evaluation;
using SafeLlama.Inference;

namespace SafeLlama.Cli.Commands;

/// <summary><c>evaluate</c>: prompts in, verdicts and tables out, in one resumable folder.</summary>
internal sealed class EvaluateCommand
{
    private readonly Option<string?> _model = new("--model")
    {
        Description = "A model folder in Hugging Face layout, or a GGUF file.",
        HelpName = "DIR|FILE.gguf",
    };

    private readonly Option<string?> _adapter = CommonOptions.Adapter();

    private readonly Option<string?> _out = new("--out")
    {
        Description = "Where the run is written.",
        HelpName = "DIR",
    };

    private readonly Option<string> _device = CommonOptions.Device();
    private readonly Option<int> _threads = CommonOptions.Threads();
    private readonly Option<long> _seed = CommonOptions.Seed();
    private readonly Option<bool> _json = CommonOptions.Json();
    private readonly Option<bool> _resume = CommonOptions.Resume();

    private readonly Option<string[]> _suites = new("--suite")
    {
        Description = "Suites by name, or files in a known format, or name=file.",
        HelpName = "NAME|FILE…",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<string?> _folder = new("--suites")
    {
        Description = "The folder that holds the files of known suites.",
        HelpName = "DIR",
    };

    private readonly Option<string?> _responses = new("--responses")
    {
        Description = "Answers made elsewhere, instead of a model.",
        HelpName = "FILE",
    };

    private readonly Option<bool> _list = new("--list")
    {
        Description = "Show the known suites and where they come from.",
    };

    private readonly Option<string> _profile = new("--profile")
    {
        Description = "Decoding profile: greedy, authors-effective (four beams, 128 tokens), or sampling.",
        HelpName = "NAME",
        DefaultValueFactory = _ => "greedy",
    };

    private readonly Option<int> _tokens = new("--max-new-tokens")
    {
        Description = "The longest answer.",
        HelpName = "N",
        DefaultValueFactory = _ => 128,
    };

    private readonly Option<double?> _temperature = new("--temperature")
    {
        Description = "For --profile sampling.",
        HelpName = "T",
    };

    private readonly Option<double?> _topP = new("--top-p") { Description = "For --profile sampling.", HelpName = "P" };
    private readonly Option<int?> _topK = new("--top-k") { Description = "For --profile sampling.", HelpName = "K" };

    private readonly Option<int> _samples = new("--samples")
    {
        Description = "Answers per prompt, when sampling.",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
    };

    private readonly Option<int> _batch = new("--batch-size")
    {
        Description = "Prompts answered together; changes the time alone.",
        HelpName = "N",
        DefaultValueFactory = _ => 8,
    };

    private readonly Option<int> _length = new("--max-length")
    {
        Description = "The longest prompt and answer, in tokens; 0 for the checkpoint's.",
        HelpName = "N",
        DefaultValueFactory = _ => 0,
    };

    private readonly Option<string> _template = CommonOptions.Template();

    private readonly JudgeOptions _judges = new(required: false);
    private readonly CapabilityOptions _capability = new();
    private readonly GateOptions _gates = new();

    public static Command Create() => new EvaluateCommand().Build();

    private Command Build()
    {
        var command = new Command("evaluate", "Ask a model the prompts of suites, judge its answers, tabulate.");
        foreach (var option in (IEnumerable<Option>)[_model, _adapter, _suites, _folder, _responses, _out,
            .. _gates.All, _list, _profile, _tokens, _temperature, _topP, _topK, _samples, _batch, _length, _template,
            _device, _threads, _seed, _resume, _json])
        {
            command.Add(option);
        }

        _judges.AddTo(command);
        _capability.AddTo(command);
        command.SetAction((parsed, _) => RunAsync(parsed));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed)
    {
        if (parsed.GetValue(_list))
        {
            SuiteListView.Show();
            return (int)ExitCode.Success;
        }

        var folder = parsed.GetValue(_out) ?? throw SafeLlamaException.Usage(
            "evaluate: --out names the run's folder; it is missing.");
        MustMatter(parsed);
        var gates = _gates.Read(parsed);
        PromptSuite[] suites =
            [.. (parsed.GetValue(_suites) ?? []).Select(s => SuiteRegistry.Open(s, parsed.GetValue(_folder)))];
        var (device, threads) = (parsed.GetValue(_device)!, parsed.GetValue(_threads));
        using var opened = new DisposableStack();
        using var interrupt = new Interrupt();
        var model = OpenModel(parsed, opened);
        if (suites.Length == 0 && parsed.GetValue(_responses) is null && _capability.Asked(parsed))
        {
            using var claimed = OutputFolder.Claim(folder, parsed.GetValue(_resume));
            GateOptions.RequireFit(gates, [], _capability.Tasks(parsed), []);
            return (int)_gates.Decide(parsed, gates, _capability.Run(
                parsed, model, folder, parsed.GetValue(_folder), parsed.GetValue(_seed), interrupt.Token), []);
        }

        var plan = new EvaluationPlan(folder, suites, _judges.Open(parsed, device, threads, opened))
        {
            Responder = parsed.GetValue(_responses) is not null || model is null
                ? null
                : new EngineResponder(model, Settings(parsed)),
            Imported = parsed.GetValue(_responses) is { } file ? ResponseImport.Read(file, suites) : null,
            Facts = model?.Identity.Facts ?? new Dictionary<string, string>(),
            Cards = _judges.Cards(parsed),
            Samples = Positive(parsed, _samples),
            BatchSize = Positive(parsed, _batch),
            Seed = parsed.GetValue(_seed),
            Resume = parsed.GetValue(_resume),
        };
        GateOptions.RequireFit(gates, plan.Prompts, _capability.Tasks(parsed), plan.AllJudges);
        var result = await EvaluationRun.RunAsync(plan, new EvaluationView(), interrupt.Token);
        Tell(result, parsed.GetValue(_json));
        var capability = _capability.Run(
            parsed, model, folder, parsed.GetValue(_folder), parsed.GetValue(_seed), interrupt.Token);
        return (int)_gates.Decide(parsed, gates, [.. result.Summary.Metrics, .. capability],
            plan.Imported?.Unanswered ?? []);
    }

    /// <summary>
    /// Refuses what nothing reads. Answers that are there already are not decoded again: what would decide that is
    /// refused too.
    /// </summary>
    private void MustMatter(ParseResult parsed)
    {
        _capability.MustMatter(parsed);
        if (parsed.GetValue(_folder) is not null && parsed.GetValue(_suites) is not { Length: > 0 }
            && !_capability.Asked(parsed))
        {
            throw SafeLlamaException.Usage(
                $"{_folder.Name} has no effect: neither {_suites.Name} nor --capability names what it holds.");
        }

        if (parsed.GetValue(_responses) is null)
        {
            return;
        }

        Option[] decoding = [_profile, _tokens, _temperature, _topP, _topK, _samples, _batch];
        Option[] model = _capability.Asked(parsed) ? [] : [_model, _adapter, _template, _length];
        if (decoding.Concat(model).FirstOrDefault(o => parsed.GetResult(o) is { Implicit: false }) is { } inert)
        {
            throw SafeLlamaException.Usage(
                $"{inert.Name} has no effect with {_responses.Name}: the answers are there already.");
        }
    }

    private LlamaSession? OpenModel(ParseResult parsed, DisposableStack opened)
    {
        if (parsed.GetValue(_model) is not { } folder)
        {
            return parsed.GetValue(_responses) is not null
                ? null
                : throw SafeLlamaException.Usage(
                    "evaluate: nobody answers; name a model with --model, or answers with --responses.");
        }

        var backend = Devices.Open(parsed.GetValue(_device)!, parsed.GetValue(_threads));
        var model = LlamaSession.Open(backend, folder, new()
        {
            Adapter = parsed.GetValue(_adapter),
            TemplateName = parsed.GetValue(_template),
            MaxLength = parsed.GetValue(_length),
            OwnsBackend = true,
        });
        opened.Add(model);
        Terminal.Notes(model.Notes);
        return model;
    }

    /// <summary>Settings that would have no effect are refused.</summary>
    private DecodingConfig Settings(ParseResult parsed)
    {
        var (temperature, topP, topK) = (parsed.GetValue(_temperature), parsed.GetValue(_topP), parsed.GetValue(_topK));
        var profile = parsed.GetValue(_profile)!;
        if (profile != "sampling" && (temperature ?? topP ?? topK) is not null)
        {
            throw SafeLlamaException.Usage(
                $"--profile {profile}: --temperature, --top-p and --top-k have no effect here; use --profile "
                + "sampling.");
        }

        if (profile != "sampling" && parsed.GetValue(_samples) > 1)
        {
            throw SafeLlamaException.Usage(
                $"--samples: every answer is the same under --profile {profile}; use --profile sampling.");
        }

        return profile switch
        {
            "greedy" => DecodingConfig.Greedy(Positive(parsed, _tokens)),
            "authors-effective" => DecodingConfig.AuthorsEffective with { MaxNewTokens = Positive(parsed, _tokens) },
            "sampling" => new()
            {
                Profile = profile,
                MaxNewTokens = Positive(parsed, _tokens),
                Temperature = temperature ?? 1,
                TopP = topP ?? 1,
                TopK = topK ?? 0,
                Seed = parsed.GetValue(_seed),
            },
            _ =>
                throw SafeLlamaException.Usage($"--profile {profile}: expected greedy, authors-effective or sampling."),
        };
    }

    private static int Positive(ParseResult parsed, Option<int> option) => parsed.GetValue(option) is var n and > 0
        ? n
        : throw SafeLlamaException.Usage($"{option.Name} {parsed.GetValue(option)}: expected at least 1.");

    private static void Tell(EvaluationRun.Result result, bool json)
    {
        if (result.TornLines > 0)
        {
            Terminal.Note($"{result.TornLines} unfinished lines of a stopped run were dropped and made again.");
        }

        Terminal.Notes(result.Summary.Notes);
        if (json)
        {
            Terminal.Print(JsonSerializer.Serialize(result.Summary, EvaluationJson.Document));
            return;
        }

        foreach (var line in MetricView.Lines(result.Summary))
        {
            Terminal.Print(line);
        }
    }
}
