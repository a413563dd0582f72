using System.CommandLine;
using System.Text.Json;
using SafeLlama.Cli.Options;
using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Cli.Commands;

/// <summary><c>judge</c>: hold judges against labels, add verdicts to a run, let people label.</summary>
internal static class JudgeCommand
{
    public static Command Create() => new("judge", "Judges: train, validate, run, export for people, import from them.")
    {
        JudgeTrainCommand.Create(), Validate(), Run(), Export(), Import(),
    };

    private static Command Validate()
    {
        var judges = new JudgeOptions(required: true, cards: false);
        var labels = new Option<string>("--labels")
        {
            Description = "Answers with labels.",
            HelpName = "FILE",
            Required = true,
        };
        var truth = new Option<string?>("--truth") { Description = "The column to believe.", HelpName = "COLUMN" };
        var output = new Option<string?>("--out")
        {
            Description = "Where the judge card is written.",
            HelpName = "FILE",
        };
        var (device, threads, seed, json) =
            (CommonOptions.Device(), CommonOptions.Threads(), CommonOptions.Seed(), CommonOptions.Json());
        var command = new Command(
            "validate", "Measure a judge against labels: confusion, kappa, sensitivity, specificity.")
        {
            labels, truth, output, device, threads, seed, json,
        };
        judges.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            var card = parsed.GetValue(output);
            if (card is not null)
            {
                OutputFile.CheckNew(card);
            }

            var labeled = LabeledAnswers.Read(parsed.GetValue(labels)!);
            using var opened = new DisposableStack();
            using var interrupt = new Interrupt();
            var bench = new JudgeBench(judges, parsed, parsed.GetValue(device)!, parsed.GetValue(threads), opened);
            if (bench.Open(labeled) is not [var judge])
            {
                throw SafeLlamaException.Usage("judge validate: name one --judge.");
            }

            var measured = await JudgeValidation.RunAsync(
                judge, labeled, parsed.GetValue(truth), parsed.GetValue(seed), interrupt.Token);
            if (card is not null)
            {
                JudgeValidation.Write(measured, card);
            }

            Tell(measured, parsed.GetValue(json));
            return (int)ExitCode.Success;
        });
        return command;
    }

    private static Command Run()
    {
        var judges = new JudgeOptions(required: true);
        var run = RunArgument();
        var (device, threads) = (CommonOptions.Device(), CommonOptions.Threads());
        var command =
            new Command("run", "Add a judge's verdicts to a run and make its tables anew.") { run, device, threads };
        judges.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            using var opened = new DisposableStack();
            using var interrupt = new Interrupt();
            var bench = new JudgeBench(judges, parsed, parsed.GetValue(device)!, parsed.GetValue(threads), opened);
            var result = await EvaluationRun.JudgeAgainAsync(
                parsed.GetValue(run)!, bench.Open(), bench.Cards(), new EvaluationView(), interrupt.Token);
            Terminal.Print(MetricView.Lines(result.Summary));
            return (int)ExitCode.Success;
        });
        return command;
    }

    private static Command Export()
    {
        var run = RunArgument();
        var output = new Option<string>("--out")
        {
            Description = "The annotators' CSV; its key is written beside it.",
            HelpName = "FILE",
            Required = true,
        };
        var seed = CommonOptions.Seed();
        var command = new Command("export", "Write a run's answers for people to label, blinded and shuffled.")
        {
            run, output, seed,
        };
        command.SetAction(parsed =>
        {
            var folder = RunFolder.Open(parsed.GetValue(run)!);
            var sheet = parsed.GetValue(output)!;
            var key = sheet + ".key.jsonl";
            OutputFile.CheckNew(sheet);
            OutputFile.CheckNew(key);

            HumanLabels.Export(folder.Answers(), sheet, key, parsed.GetValue(seed));
            Terminal.Print($"{folder.Responses.Count} answers in {sheet}; keep {key} from the annotators. "
                + $"A label is {HumanLabels.Allowed}.");
            return (int)ExitCode.Success;
        });
        return command;
    }

    private static Command Import()
    {
        var run = RunArgument();
        var key = new Option<string>("--key")
        {
            Description = "The key that was exported.",
            HelpName = "FILE",
            Required = true,
        };
        var labels = new Option<string[]>("--labels")
        {
            Description = "The annotators' CSV files, two or more.",
            HelpName = "FILE FILE…",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        var final = new Option<string?>("--adjudicated")
        {
            Description = "Final labels where they differ.",
            HelpName = "FILE",
        };
        var seed = CommonOptions.Seed();
        var command = new Command("import", "Read annotators' labels into a run, with their agreement.")
        {
            run, key, labels, final, seed,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            if (parsed.GetValue(labels) is not [_, _, ..] sheets)
            {
                throw SafeLlamaException.Usage("judge import: --labels needs the files of two annotators or more.");
            }

            var result = HumanLabels.Import(
                parsed.GetValue(key)!, sheets, parsed.GetValue(final), parsed.GetValue(seed));
            Terminal.Print($"agreement {SummaryMarkdown.Number(result.Agreement.Value)} "
                + $"{SummaryMarkdown.Limits(result.Agreement)}, "
                + $"kappa {SummaryMarkdown.Number(result.Kappa.Value)} {SummaryMarkdown.Limits(result.Kappa)}, "
                + $"alpha {SummaryMarkdown.Number(result.Alpha.Value)} {SummaryMarkdown.Limits(result.Alpha)}, ordinal "
                + $"{SummaryMarkdown.Number(result.OrdinalAlpha.Value)} {SummaryMarkdown.Limits(result.OrdinalAlpha)}, "
                + $"{result.Compared} labeled by two or more, {result.Unlabelled} not");
            if (result.Differing.Count > 0)
            {
                Terminal.Print("to adjudicate:");
                Terminal.Print(MetricView.Table(["item", .. sheets.Select(Path.GetFileName).OfType<string>()],
                    result.Differing.Select(d => (string[])[d.Item, .. d.Labels.Select(l => l?.ToString() ?? "–")])));
            }

            var judged = await EvaluationRun.JudgeAgainAsync(
                parsed.GetValue(run)!, [new HumanJudge(result)], new Dictionary<string, JudgeCard>(), null,
                cancellation);
            Terminal.Print(MetricView.Lines(judged.Summary));
            return (int)ExitCode.Success;
        });
        return command;
    }

    private static Argument<string> RunArgument() => new("RUN") { Description = "An evaluation run's folder." };

    private static void Tell(JudgeCard card, bool json)
    {
        if (json)
        {
            Terminal.Print(JsonSerializer.Serialize(card, EvaluationJson.Document));
            return;
        }

        static string Show(Interval i) => $"{SummaryMarkdown.Number(i.Value)} {SummaryMarkdown.Limits(i)}";
        Terminal.Print($"{card.Judge.Name} ({card.Hash}) against {card.Truth} of {card.Labels}: "
            + $"{card.Compared} compared, {card.Unscored} unscored, {card.Unlabelled} unlabeled");
        if (card.Judge.Threshold is { } threshold)
        {
            Terminal.Print($"score        {card.Judge.Scale}; harmful from {SummaryMarkdown.Number(threshold)} on");
        }

        Terminal.Print($"positive means {card.Question.ToString().ToLowerInvariant()}: "
            + $"judged {card.JudgedPositive}, labeled {card.LabeledPositive}");
        Terminal.Print($"kappa        {Show(card.Kappa)}");
        Terminal.Print($"sensitivity  {Show(card.Sensitivity)}");
        Terminal.Print($"specificity  {Show(card.Specificity)}");
        Terminal.Print($"all labels   agreement {Show(card.Agreement)}, kappa {Show(card.KappaAllLabels)}");
        string[] columns = [.. card.Confusion.Values.SelectMany(r => r.Keys).Distinct().Order(StringComparer.Ordinal)];
        Terminal.Print(MetricView.Table(["label \\ verdict", .. columns], card.Confusion.Select(row => (string[])
            [row.Key, .. columns.Select(c => $"{row.Value.GetValueOrDefault(c)}")])));
    }
}
