using System.CommandLine;
using SafeLlama.Cli.Options;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Inference;
using SafeLlama.Model;

namespace SafeLlama.Cli.Commands;

/// <summary><c>generate</c>: answers one prompt, a file of prompts, or a conversation in the terminal.</summary>
internal static class GenerateCommand
{
    public static Command Create()
    {
        var (options, decoding) = (new GenerateOptions(), new DecodingOptions());
        var command = new Command(
            "generate",
            "Answer prompts with a model, with or without an adapter. Without --prompt or --prompts: a conversation in "
            + "the terminal.");
        options.AddTo(command);
        decoding.AddTo(command);
        command.SetAction(parsed =>
        {
            var asked = options.Read(parsed);
            CheckTogether(options, parsed, asked);
            return (int)Run(asked, decoding.Read(parsed, asked.Profile, asked.Model));
        });
        return command;
    }

    /// <summary>Settings that would have no effect are refused.</summary>
    private static void CheckTogether(GenerateOptions options, ParseResult parsed, GenerateOptions.Request asked)
    {
        if (asked.Prompt is not null && asked.Prompts is not null)
        {
            throw SafeLlamaException.Usage("--prompt and --prompts exclude each other.");
        }

        if (asked.Prompt is null && asked.Prompts is null)
        {
            options.Refuse(
                parsed, "in a conversation, without --prompt or --prompts", nameof(asked.Out), nameof(asked.Json));
        }

        if (asked.Raw)
        {
            options.Refuse(parsed, "with --raw", nameof(asked.Template));
        }

        if (asked.Out is null)
        {
            options.Refuse(parsed, "without --out FILE", nameof(asked.Resume));
        }
        else
        {
            options.Refuse(parsed, "with --out, which holds JSON anyway", nameof(asked.Json));
        }

        if (Directory.Exists(asked.Out))
        {
            throw SafeLlamaException.Usage($"--out {asked.Out}: is a folder, expected a file.");
        }

        if (asked.Resume && !File.Exists(asked.Out))
        {
            throw SafeLlamaException.Usage(
                $"--resume: {asked.Out} is not there, so nothing can go on in it. Leave --resume out to begin it.");
        }

        if (Path.Exists(asked.Out) && !asked.Resume)
        {
            throw SafeLlamaException.Usage(
                $"--out {asked.Out}: exists, and nothing is overwritten. Name another file, or use --resume.");
        }
    }

    private static ExitCode Run(GenerateOptions.Request asked, DecodingConfig config)
    {
        using var backend = Devices.Open(asked);
        using var session = LlamaSession.Open(backend, asked.Model, new()
        {
            Adapter = asked.Adapter,
            Load = new(asked.Load, asked.Nested),
            Template = asked.Raw ? new PlainTemplate() : AlpacaTemplate.Standard,
            TemplateName = asked.Raw ? null : asked.Template,
            MaxLength = asked.MaxLength,
        });
        Terminal.Notes(session.Notes);
        using var interrupt = new Interrupt();
        if (asked.Prompt is null && asked.Prompts is null)
        {
            Conversation.Hold(session, session.Decoding(config), asked.Raw, interrupt.Token);
            return ExitCode.Success;
        }

        var rows = Rows(asked.Prompt, asked.Prompts, asked.Raw);
        var source = new AnswerSource(
            asked.Model, asked.Raw ? "none" : session.Template.Identity, config, asked.Adapter,
            asked.Load == LoadAs.Stored ? null : new LoadForm(asked.Load, asked.Nested).ToString());
        // Only a file is gone on with; hashing a large model takes seconds.
        var kept = asked.Out is null ? source : source.WithHashesOf(session.Identity);
        var run = new PromptRun(session, rows, asked.Raw, kept, interrupt.Token);
        return asked.Out is { } file
            ? Keep(run, file, rows.Count)
            : Print(run, rows.Count, asked.Json, asked.Raw);
    }

    private static List<TrainingExample> Rows(string? prompt, string? file, bool raw)
    {
        if (prompt is not null)
        {
            return [new InstructionExample(prompt, "", "") { Id = "prompt" }];
        }

        var read = ExampleFile.Read(file!, Answers.Optional);
        Terminal.Notes(read.Notes);
        var isText = read.Format == RowFormat.Text;
        return
        [
            .. read.Examples.Select(row => !isText ? row
                : new InstructionExample(raw ? row.Question : row.Question.Trim(), "", "")
                {
                    Id = $"{Path.GetFileName(file)}:{row.Source.Line}",
                    Source = row.Source,
                }),
        ];
    }

    private static ExitCode Keep(PromptRun run, string file, int count)
    {
        try
        {
            var before = run.AppendTo(file);
            Terminal.Note($"{Counted.Of(count, "answer")} in {file}"
                + (before > 0 ? $", {before} of them made before" : ""));
            return ExitCode.Success;
        }
        catch (OperationCanceledException)
        {
            Terminal.Note($"interrupted; {file} keeps what was answered. Go on with the same command and --resume.");
            return ExitCode.Interrupted;
        }
    }

    private static ExitCode Print(PromptRun run, int count, bool json, bool raw)
    {
        run.Each(0, answer =>
        {
            if (json)
            {
                Terminal.PrintJson(answer);
                return;
            }

            if (count > 1)
            {
                Console.WriteLine($"{(answer.Row > 1 ? "\n" : "")}> {SafeText.ForTerminal(answer.Prompt)}");
            }

            Console.WriteLine(SafeText.ForTerminal(raw ? answer.Response : answer.Response.Trim()));
        });
        return ExitCode.Success;
    }
}
