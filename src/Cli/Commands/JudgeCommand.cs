using System.CommandLine;
using SafeLlama.Cli.Endings;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Cli.Commands;

/// <summary>
/// <c>judge</c>: compares judges with labels, adds verdicts to a run, exports and imports labels by people.
/// </summary>
internal static class JudgeCommand
{
    /// <summary>Of the lines a stopped run had not finished: another judge's are not made here.</summary>
    private const string Torn = "; the judge it is of gives that verdict when it is run again";

    public static Command Create() => new("judge", "Judges: train, validate, run, export for people, import from them.")
    {
        JudgeTrainCommand.Create(), Validate(), Run(),
        new JudgeExportOptions().Verb(
            "export", "Write a run's answers for people to label, blinded and shuffled.", Export),
        Import(),
    };

    private static Command Validate()
    {
        var (options, judges) = (new JudgeValidateOptions(), new JudgeOptions(required: true, cards: false));
        var command = new Command(
            "validate", "Measure a judge against labels: confusion, kappa, sensitivity, specificity.");
        options.AddTo(command);
        judges.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            var asked = options.Read(parsed);
            if (asked.Out is { } card)
            {
                OutputFile.CheckNew(card);
            }

            var labeled = LabeledAnswers.Read(asked.Labels);
            using var opened = new DisposableStack();
            using var interrupt = new Interrupt();
            var bench = new JudgeBench(judges, parsed, asked, opened);
            bench.RefuseIdleDevice(options, parsed);
            if (bench.Open(labeled) is not [var judge])
            {
                throw SafeLlamaException.Usage("judge validate: name one --judge.");
            }

            var measured = await JudgeValidation.RunAsync(judge, labeled, asked.Truth, asked.Seed, interrupt.Token);
            if (asked.Out is { } path)
            {
                JudgeValidation.Write(measured, path);
            }

            Tell(measured, asked.Json);
            return (int)ExitCode.Success;
        });
        return command;
    }

    private static Command Run()
    {
        var (options, judges) = (new JudgeRunOptions(), new JudgeOptions(required: true));
        var command = new Command("run", "Add a judge's verdicts to a run and make its tables anew.");
        options.AddTo(command);
        judges.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            var asked = options.Read(parsed);
            using var held = new DisposableStack();
            using var interrupt = new Interrupt();
            var bench = new JudgeBench(judges, parsed, asked, held);
            bench.RefuseIdleDevice(options, parsed);
            EvaluationRun.Result result;
            string[] hashes;
            try
            {
                var opened = bench.Open();
                hashes = [.. opened.Select(judge => judge.Identity.Hash)];
                result = await EvaluationRun.JudgeAgainAsync(
                    asked.Run, opened, bench.Cards(), new EvaluationView(), interrupt.Token);
            }
            catch (OperationCanceledException)
            {
                Terminal.Note("interrupted; the verdicts that were made are kept. Go on with the same command.");
                return (int)ExitCode.Interrupted;
            }

            Terminal.Notes(EvaluateEnding.Notes(result, Torn));
            if (asked.Json)
            {
                Terminal.PrintDocument(result.Summary);
            }
            else
            {
                Terminal.Print(MetricView.Lines(result.Summary));
            }

            var run = RunFolder.Open(asked.Run);
            string[] failed = [.. EvaluateEnding.MostlyUnscored(run, HeadlineRow.Of(run, hashes))];
            Terminal.Notes(failed);
            return (int)(failed.Length > 0 ? ExitCode.Failure : ExitCode.Success);
        });
        return command;
    }

    private static ExitCode Export(JudgeExportOptions.Request asked)
    {
        var folder = RunFolder.OpenFinished(asked.Run);
        var key = asked.Out + ".key.jsonl";
        OutputFile.CheckNew(asked.Out);
        OutputFile.CheckNew(key);

        HumanLabels.Export(folder.Answers(), asked.Out, key, asked.Seed);
        if (asked.Json)
        {
            Terminal.PrintDocument(new JudgeExportResult(asked.Out, key, folder.Responses.Count));
        }
        else
        {
            Terminal.Print($"{Counted.Of(folder.Responses.Count, "answer")} in {asked.Out}; "
                + $"keep {key} from the annotators. "
                + $"A label is {HumanLabels.Allowed}.");
        }

        return ExitCode.Success;
    }

    private static Command Import()
    {
        var options = new JudgeImportOptions();
        var command = new Command("import", "Read annotators' labels into a run, with their agreement.");
        options.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var asked = options.Read(parsed);
            if (asked.Labels.Count < 2)
            {
                throw SafeLlamaException.Usage("judge import: --labels needs the files of two annotators or more.");
            }

            var result = HumanLabels.Import(asked.Key, asked.Labels, asked.Adjudicated, asked.Seed);
            if (!asked.Json)
            {
                Terminal.Print(Lines(result, asked.Labels));
            }

            var judged = await EvaluationRun.JudgeAgainAsync(
                asked.Run, [new HumanJudge(result)], new Dictionary<string, JudgeCard>(), null, cancellation);
            Terminal.Notes(EvaluateEnding.Notes(judged, Torn));
            if (asked.Json)
            {
                Terminal.PrintDocument(new JudgeImportResult(
                    result.Compared, result.Unlabelled, result.Agreement, result.Kappa, result.Alpha,
                    result.OrdinalAlpha,
                    [.. result.Differing.Select(d => new JudgeImportResult.Item(d.Item, d.Labels))], judged.Summary));
            }
            else
            {
                Terminal.Print(MetricView.Lines(judged.Summary));
            }

            return (int)ExitCode.Success;
        });
        return command;
    }

    private static IEnumerable<string> Lines(HumanLabels.Result result, IReadOnlyList<string> sheets)
    {
        yield return $"agreement {Show(result.Agreement)}, kappa {Show(result.Kappa)}, alpha {Show(result.Alpha)}, "
            + $"ordinal {Show(result.OrdinalAlpha)}, {result.Compared} labeled by two or more, {result.Unlabelled} not";
        if (result.Differing.Count == 0)
        {
            yield break;
        }

        yield return "to adjudicate:";
        foreach (var line in MetricView.Table(
            ["item", .. sheets.Select(Path.GetFileName).OfType<string>()],
            result.Differing.Select(d => (string[])[d.Item, .. d.Labels.Select(l => l?.ToString() ?? "–")])))
        {
            yield return line;
        }
    }

    private static string Show(Interval i) => $"{SummaryMarkdown.Number(i.Value)} {SummaryMarkdown.Limits(i)}";

    private static void Tell(JudgeCard card, bool json)
    {
        if (json)
        {
            Terminal.PrintDocument(card);
            return;
        }

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
