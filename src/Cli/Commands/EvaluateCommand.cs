using System.CommandLine;
using System.Text.Json;
using SafeLlama.Cli.Endings;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Distributed;
using SafeLlama.Evaluation;
using SafeLlama.Inference;

namespace SafeLlama.Cli.Commands;

/// <summary><c>evaluate</c>: asks prompts, judges the answers and writes tables, in one resumable folder.</summary>
internal sealed class EvaluateCommand
{
    private readonly EvaluateOptions _options = new();
    private readonly JudgeOptions _judges = new(required: false);
    private readonly CapabilityOptions _capability = new();

    public static Command Create() => new EvaluateCommand().Build();

    private Command Build()
    {
        var command = new Command("evaluate", "Ask a model the prompts of suites, judge its answers, tabulate.");
        _options.AddTo(command);
        _judges.AddTo(command);
        _capability.AddTo(command);
        command.SetAction((parsed, _) => Interrupt.Keeping(_options.Read(parsed).Out, () => RunAsync(parsed)));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed)
    {
        var (asked, tests) = (_options.Read(parsed), _capability.Read(parsed));
        if (asked.List)
        {
            const string When = "with --list, which shows the known suites";
            _options.RefuseOthers(parsed, When, nameof(asked.List), nameof(asked.Json));
            _judges.RefuseOthers(parsed, When);
            _capability.RefuseOthers(parsed, When);
            SuiteListView.Show(asked.Json);
            return (int)ExitCode.Success;
        }

        var folder = asked.Out ?? throw SafeLlamaException.Usage(
            "evaluate: --out names the run's folder; it is missing.");
        MustMatter(parsed, asked, tests);
        if (SharedWork.Ranks.IsFirst())
        {
            OutputFolder.RequireFree(folder, asked.Resume, EvaluationRun.Signs);
        }

        CapabilityTests.RequireFit(tests, asked.Model is not null, asked.Suites);
        var browser = asked.Open ? Browser.Find(Environment.GetEnvironmentVariable) : null;
        var gates = new Gates(asked.FailIf, asked.AllowUnscored);
        PromptSuite[] suites = [.. asked.Suite.Select(s => SuiteRegistry.Open(s, asked.Suites))];
        using var opened = new DisposableStack();
        using var interrupt = new Interrupt();
        var model = OpenModel(asked, opened);
        CapabilityResult? Test() =>
            CapabilityTests.Run(tests, model, folder, asked.Suites, asked.Seed, interrupt.Token);
        var ranks = SharedWork.Ranks;
        if (suites.Length == 0 && asked.Responses is null && tests.Tasks.Count > 0)
        {
            if (!ranks.IsFirst())
            {
                return (int)ExitCode.Success;       // capability is measured by rank 0
            }

            using var claimed = OutputFolder.Claim(folder, asked.Resume, EvaluationRun.Signs);
            gates.RequireFit([], tests.Tasks, []);
            var alone = Test()!;
            if (asked.Json)
            {
                Terminal.PrintDocument(alone);
            }
            else
            {
                Terminal.Print(CapabilityTests.Lines(alone));
            }

            return (int)gates.Decide(CapabilityTests.Rows(alone), []);
        }

        var bench = new JudgeBench(_judges, parsed, asked, opened);
        if (model is null)
        {
            bench.RefuseIdleDevice(_options, parsed);
        }

        var plan = new EvaluationPlan(folder, suites, ranks.IsFirst() ? bench.Open() : [])
        {
            Responder = asked.Responses is not null || model is null
                ? null
                : new EngineResponder(model, Decoding(asked)),
            Imported = asked.Responses is { } file ? ResponseImport.Read(file, suites) : null,
            Names = model is null ? null : RunManifest.RunNames.Of(asked.Model!, asked.Adapter),
            Facts = model?.Identity.Facts ?? new Dictionary<string, string>(),
            Cards = ranks.IsFirst() ? bench.Cards() : new Dictionary<string, JudgeCard>(),
            Ranks = ranks,
            Samples = Positive(asked.Samples, nameof(asked.Samples)),
            BatchSize = Positive(asked.BatchSize, nameof(asked.BatchSize)),
            Seed = asked.Seed,
            Resume = asked.Resume,
        };
        if (!ranks.IsFirst())
        {
            EvaluationRun.Help(plan, interrupt.Token);
            return (int)ExitCode.Success;
        }

        gates.RequireFit(plan.Prompts, tests.Tasks, plan.AllJudges);
        var result = await EvaluationRun.RunAsync(plan, new EvaluationView(), interrupt.Token);
        var capability = Test();
        Tell(result, capability, asked);
        var run = RunFolder.Open(folder);
        var rows = HeadlineRow.Of(run);
        string[] failed = [.. EvaluateEnding.MostlyInvalid(run, rows), .. EvaluateEnding.MostlyUnscored(run, rows)];
        Terminal.Notes(failed);
        browser?.Open(Path.Combine(folder, RunReport.FileName));
        var gated = gates.Decide(
            [.. result.Summary.Metrics, .. CapabilityTests.Rows(capability)], plan.Imported?.Unanswered ?? []);
        return (int)(gated == ExitCode.Success && failed.Length > 0 ? ExitCode.Failure : gated);
    }

    /// <summary>Existing answers are not decoded again, so decoding options are refused.</summary>
    private void MustMatter(ParseResult parsed, EvaluateOptions.Request asked, CapabilityOptions.Request tests)
    {
        string[] decoding = [nameof(asked.Profile), nameof(asked.MaxNewTokens), nameof(asked.Temperature),
            nameof(asked.TopP), nameof(asked.TopK), nameof(asked.Samples), nameof(asked.BatchSize)];
        string[] model = tests.Tasks.Count > 0 ? []
            :
            [
                nameof(asked.Model), nameof(asked.Adapter), nameof(asked.Load), nameof(asked.Nested),
                nameof(asked.Template), nameof(asked.MaxLength),
            ];
        if (tests.Capability.Count == 0 && (tests.Shots != 0 || tests.ShotsFile is not null))
        {
            throw SafeLlamaException.Usage(
                $"{(tests.Shots != 0 ? "--shots" : "--shots-file")} has no effect without --capability.");
        }

        if (asked.Json)
        {
            _options.Refuse(parsed, "with --json", nameof(asked.All));
        }

        if (asked.Suite.Count == 0 && asked.Responses is null)
        {
            _options.Refuse(parsed, "without --suite or --responses", nameof(asked.Open), nameof(asked.All));
        }

        if (asked.Suites is not null && asked.Suite.Count == 0 && tests.Tasks.Count == 0)
        {
            throw SafeLlamaException.Usage("--suites has no effect: neither --suite nor --capability reads it.");
        }

        if (asked.Responses is not null && _options.FirstGiven(parsed, decoding.Concat(model)) is { } inert)
        {
            throw SafeLlamaException.Usage($"{inert} has no effect with --responses: the answers are there already.");
        }
    }

    private static LlamaSession? OpenModel(EvaluateOptions.Request asked, DisposableStack opened)
    {
        if (asked.Model is not { } folder)
        {
            return asked.Responses is not null
                ? null
                : throw SafeLlamaException.Usage(
                    "evaluate: nobody answers; name a model with --model, or answers with --responses.");
        }

        var model = LlamaSession.Open(Devices.Open(asked), folder, new()
        {
            Adapter = asked.Adapter,
            Load = new(asked.Load, asked.Nested),
            TemplateName = asked.Template,
            MaxLength = asked.MaxLength,
            OwnsBackend = true,
        });
        opened.Add(model);
        Terminal.Notes(model.Notes);
        return model;
    }

    /// <summary>Settings that would have no effect are refused.</summary>
    private static DecodingConfig Decoding(EvaluateOptions.Request asked)
    {
        var profile = asked.Profile;
        if (profile != "sampling" && (asked.Temperature ?? asked.TopP ?? asked.TopK) is not null)
        {
            throw SafeLlamaException.Usage(
                $"--profile {profile}: --temperature, --top-p and --top-k have no effect here; use --profile "
                + "sampling.");
        }

        if (profile != "sampling" && asked.Samples > 1)
        {
            throw SafeLlamaException.Usage(
                $"--samples: every answer is the same under --profile {profile}; use --profile sampling.");
        }

        var tokens = Positive(asked.MaxNewTokens, nameof(asked.MaxNewTokens));
        return profile switch
        {
            "greedy" => DecodingConfig.Greedy(tokens),
            "authors-effective" => DecodingConfig.AuthorsEffective with { MaxNewTokens = tokens },
            "sampling" => new()
            {
                Profile = profile,
                MaxNewTokens = tokens,
                Temperature = asked.Temperature ?? 1,
                TopP = asked.TopP ?? 1,
                TopK = asked.TopK ?? 0,
                Seed = asked.Seed,
            },
            _ =>
                throw SafeLlamaException.Usage($"--profile {profile}: expected greedy, authors-effective or sampling."),
        };
    }

    private static int Positive(int value, string property) => value > 0
        ? value
        : throw SafeLlamaException.Usage($"`{property}` {value}: expected at least 1.");

    private static void Tell(EvaluationRun.Result result, CapabilityResult? capability, EvaluateOptions.Request asked)
    {
        Terminal.Notes(EvaluateEnding.Notes(result, " and made again"));
        if (asked.Json)
        {
            var summary = JsonSerializer.SerializeToNode(result.Summary, EvaluationJson.Document)!.AsObject();
            if (capability is not null)
            {
                summary["capability"] = JsonSerializer.SerializeToNode(capability, EvaluationJson.Document);
            }

            Terminal.PrintDocument(summary);
            return;
        }

        if (asked.All)
        {
            Terminal.Print([.. MetricView.Lines(result.Summary), ""]);
        }

        if (capability is not null)
        {
            Terminal.Print(CapabilityTests.Lines(capability));
        }

        Terminal.Print(EvaluateEnding.Lines(RunFolder.Open(asked.Out!)));
    }
}
