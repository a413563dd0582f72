using System.CommandLine;
using System.Text.Json;
using SafeLlama.Cli.Options;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Inference;

namespace SafeLlama.Cli.Commands;

/// <summary><c>generate</c>: one prompt, a file of prompts, or a conversation in the terminal.</summary>
internal static class GenerateCommand
{
    public static Command Create()
    {
        var (model, adapter, device, threads, json) =
            (CommonOptions.Model(), CommonOptions.Adapter(), CommonOptions.Device(), CommonOptions.Threads(),
                CommonOptions.Json());
        var prompt = new Option<string?>("--prompt") { Description = "Answer this.", HelpName = "TEXT" };
        var prompts = new Option<string?>("--prompts")
        {
            Description = "Answer each prompt of a file: a line of .txt, or a row of JSON, JSONL, CSV or Parquet.",
            HelpName = "FILE",
        };
        var output = new Option<string?>("--out")
        {
            Description = "Append the answers to this new JSONL file, each as soon as it is made, instead of stdout.",
            HelpName = "FILE",
        };
        var resume = new Option<bool>("--resume") { Description = "Go on with the answers that --out holds." };
        var template = CommonOptions.Template();
        var raw = new Option<bool>("--raw")
        {
            Description = "Take prompts as they stand, without a template; the model goes on with the text.",
        };
        var length = CommonOptions.MaxLength();
        var generation = new DecodingOptions();
        var command = new Command(
            "generate",
            "Answer prompts with a model, with or without an adapter. Without --prompt or --prompts: a conversation in "
            + "the terminal.")
        {
            model, adapter, prompt, prompts, output, resume, template, raw, length,
        };
        generation.AddTo(command);
        foreach (var option in new Option[] { device, threads, json })
        {
            command.Add(option);
        }

        command.SetAction(parsed =>
        {
            var file = parsed.GetValue(output);
            if (parsed.GetValue(prompt) is not null && parsed.GetValue(prompts) is not null)
            {
                throw SafeLlamaException.Usage("--prompt and --prompts exclude each other.");
            }

            if (parsed.GetValue(raw) && parsed.GetResult(template) is { Implicit: false })
            {
                throw SafeLlamaException.Usage("--template has no effect with --raw.");
            }

            var config = generation.Read(parsed, parsed.GetValue(model)!);
            if (parsed.GetValue(resume) && file is null)
            {
                throw SafeLlamaException.Usage("--resume has no effect without --out FILE.");
            }

            if (Path.Exists(file) && !parsed.GetValue(resume))
            {
                throw SafeLlamaException.Usage(
                    $"--out {file}: exists, and nothing is overwritten. Name another file, or use --resume.");
            }

            using var backend = Devices.Open(parsed.GetValue(device)!, parsed.GetValue(threads));
            using var session = LlamaSession.Open(backend, parsed.GetValue(model)!, new()
            {
                Adapter = parsed.GetValue(adapter),
                Template = parsed.GetValue(raw) ? new PlainTemplate() : AlpacaTemplate.Standard,
                TemplateName = parsed.GetValue(raw) ? null : parsed.GetValue(template),
                MaxLength = parsed.GetValue(length),
            });
            Terminal.Notes(session.Notes);
            using var interrupt = new Interrupt();
            if (parsed.GetValue(prompt) is null && parsed.GetValue(prompts) is null)
            {
                Conversation.Hold(session, session.Decoding(config), parsed.GetValue(raw), interrupt.Token);
                return (int)ExitCode.Success;
            }

            var rows = Rows(parsed.GetValue(prompt), parsed.GetValue(prompts), parsed.GetValue(raw));
            var source = new AnswerSource(
                parsed.GetValue(model)!, parsed.GetValue(raw) ? "none" : session.Template.Identity, config,
                parsed.GetValue(adapter));
            var run = new PromptRun(session, rows, parsed.GetValue(raw), source, interrupt.Token);
            return (int)(file is null
                ? Print(run, rows.Count, parsed.GetValue(json), parsed.GetValue(raw))
                : Keep(run, file, rows.Count));
        });
        return command;
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
            Terminal.Note($"{count} answers in {file}{(before > 0 ? $", {before} of them made before" : "")}");
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
                Console.WriteLine(JsonSerializer.Serialize(answer, Json.Line));
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
