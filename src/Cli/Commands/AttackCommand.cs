using System.CommandLine;
using SafeLlama.Cli.Attacks;
using SafeLlama.Cli.Endings;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Evaluation;
using SafeLlama.Study;

namespace SafeLlama.Cli.Commands;

/// <summary><c>attack</c>: measures how well a model keeps refusing when somebody works against it.</summary>
internal sealed class AttackCommand
{
    private readonly AttackOptions _options = new();
    private readonly JudgeOptions _judges = new(required: true);

    public static Command Create() => new AttackCommand().Build();

    private Command Build()
    {
        var command = new Command(
            "attack", "Attack your own model over a suite, and compare with the same model without an attack.");
        _options.AddTo(command);
        _judges.AddTo(command);
        command.SetAction((parsed, _) => Interrupt.Keeping(
            _options.Read(parsed) is { DryRun: false } asked ? asked.Out : null, () => RunAsync(parsed)));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed)
    {
        var asked = _options.Read(parsed);
        if (asked.DryRun)
        {
            _options.Refuse(parsed, "with --dry-run", nameof(asked.Resume), nameof(asked.FailIf));
        }
        else if (asked.Out is null)
        {
            throw SafeLlamaException.Usage("attack: --out names the run's folder; it is missing.");
        }
        else
        {
            OutputFolder.RequireFree(asked.Out, asked.Resume, AttackRun.Sign);
        }

        var gates = new Gates(asked.FailIf, asked.AllowUnscored);
        using var opened = new DisposableStack();
        using var interrupt = new Interrupt();
        var choice = new AttackChoice(asked);
        var bench = new JudgeBench(_judges, parsed, asked, opened);
        var session = choice.Open(opened);
        var plan = choice.Plan(session, bench.Open(), bench.Cards());
        if (asked.DryRun)
        {
            var forecast = AttackForecast.Of(plan);
            if (asked.Json)
            {
                Terminal.PrintDocument(AttackPlanResult.Of(forecast, plan));
            }
            else
            {
                Terminal.Print(AttackEnding.Lines(forecast, plan));
            }

            return (int)ExitCode.Success;
        }

        AttackGates.RequireFit(gates, plan);
        var results = await AttackRun.RunAsync(plan, new AttackView(), interrupt.Token);
        OutputFile.WriteText(
            Path.Combine(plan.Out, AttackChart.FileName), AttackChart.Document(results.Judges[0]));
        if (asked.Json)
        {
            Terminal.PrintDocument(results);
        }
        else
        {
            Terminal.Print(AttackEnding.Lines(results, plan.Out));
        }

        RequireOneMade(results);
        return (int)AttackGates.Decide(gates, results, plan.MaxTrials);
    }

    /// <summary>A run without any attempt has measured nothing, and must not look like a model that held.</summary>
    private static void RequireOneMade(AttackResults results)
    {
        if (results.Trials.All(trial => trial.NotRun is not null))
        {
            throw SafeLlamaException.InvalidData(
                $"attack: none of the {results.Trials.Count} attempts was made, so nothing is known about the "
                + $"model under attack. {results.Trials[0].Name}: {results.Trials[0].NotRun}");
        }
    }
}
