using System.CommandLine;
using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Inference;

namespace SafeLlama.Cli.Commands;

/// <summary><c>generate</c>: one prompt, a file of prompts, or a conversation in the terminal.</summary>
internal static class GenerateCommand
{
    /// <summary>Prompts answered side by side; an answer does not depend on it.</summary>
    private const int Batch = 16;

    private static readonly JsonSerializerOptions Json = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

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
            Description = "Write the answers to this new JSONL file instead of stdout.",
            HelpName = "FILE",
        };
        var template = CommonOptions.Template();
        var raw = new Option<bool>("--raw")
        {
            Description = "Take prompts as they stand, without a template; the model goes on with the text.",
        };
        var generation = new GenerationOptions();
        var command = new Command(
            "generate",
            "Answer prompts with a model, with or without an adapter. Without --prompt or --prompts: a conversation in "
            + "the terminal.")
        {
            model, adapter, prompt, prompts, output, template, raw,
        };
        generation.AddTo(command);
        foreach (var option in new Option[] { device, threads, json })
        {
            command.Add(option);
        }

        command.SetAction(parsed =>
        {
            if (parsed.GetValue(prompt) is not null && parsed.GetValue(prompts) is not null)
            {
                throw SafeLlamaException.Usage("--prompt and --prompts exclude each other.");
            }

            if (parsed.GetValue(raw) && parsed.GetResult(template) is { Implicit: false })
            {
                throw SafeLlamaException.Usage("--template has no effect with --raw.");
            }

            var config = generation.Read(parsed);
            var file = parsed.GetValue(output);
            if (Path.Exists(file))
            {
                throw SafeLlamaException.Usage($"--out {file}: exists, and nothing is overwritten. Name another file.");
            }

            using var backend = Devices.Open(parsed.GetValue(device)!, parsed.GetValue(threads));
            using var session = LlamaSession.Open(backend, parsed.GetValue(model)!, new()
            {
                Adapter = parsed.GetValue(adapter),
                Template = PromptTemplate.Load(parsed.GetValue(raw) ? "plain" : parsed.GetValue(template)!),
            });
            Terminal.Notes(session.Notes);
            using var interrupt = new Interrupt();
            var run = new Run(session, parsed.GetValue(raw), session.Decoding(config), interrupt.Token);
            if (parsed.GetValue(prompt) is null && parsed.GetValue(prompts) is null)
            {
                Conversation.Hold(session, run.Config, interrupt.Token);
                return (int)ExitCode.Success;
            }

            run.Answer(Rows(parsed.GetValue(prompt), parsed.GetValue(prompts)), file, parsed.GetValue(json));
            return (int)ExitCode.Success;
        });
        return command;
    }

    private static List<TrainingExample> Rows(string? prompt, string? file)
    {
        if (prompt is not null)
        {
            return [new InstructionExample(prompt, "", "") { Id = "prompt" }];
        }

        if (!Path.GetExtension(file!).Equals(".txt", StringComparison.OrdinalIgnoreCase))
        {
            return [.. ExampleFile.Read(file!, Answers.Optional).Examples];
        }

        if (!File.Exists(file))
        {
            throw SafeLlamaException.Usage($"--prompts {file}: not found.");
        }

        var rows = File.ReadLines(file).Select((line, i) => (line, i)).Where(l => l.line.Trim().Length > 0)
            .Select(TrainingExample (l) => new InstructionExample(l.line.Trim(), "",
                "")
            { Id = $"{Path.GetFileName(file)}:{l.i + 1}" }).ToList();
        return rows.Count > 0 ? rows : throw SafeLlamaException.InvalidData($"{file}: holds no prompt.");
    }

    private sealed record Run(
        LlamaSession Session, bool Raw, DecodingConfig Config, CancellationToken Cancel)
    {
        public void Answer(List<TrainingExample> rows, string? file, bool json)
        {
            if (file is not null)
            {
                OutputFile.Write(file, stream =>
                {
                    using var writer = new StreamWriter(stream, leaveOpen: true);
                    Each(rows, (row, ids, answer) => writer.WriteLine(AsJson(row, ids, answer)));
                });
                Terminal.Note($"{rows.Count} answers in {file}");
                return;
            }

            var shown = 0;
            Each(rows, (row, ids, answer) =>
            {
                if (json)
                {
                    Console.WriteLine(AsJson(row, ids, answer));
                    return;
                }

                if (rows.Count > 1)
                {
                    Console.WriteLine($"{(shown++ > 0 ? "\n" : "")}> {SafeText.ForTerminal(row.Question)}");
                }

                Console.WriteLine(SafeText.ForTerminal(Session.Decode(answer).Trim()));
            });
        }

        private void Each(List<TrainingExample> rows, Action<TrainingExample, int[], Generation> use)
        {
            for (var first = 0; first < rows.Count; first += Batch)
            {
                var some = rows.Skip(first).Take(Batch).ToList();
                var ids = some.Select(Ids).ToList();
                var answers = new Generator(Session.Model, Config).Generate(ids, firstSequence: first, cancel: Cancel);
                for (var i = 0; i < some.Count; i++)
                {
                    use(some[i], ids[i], answers[i]);
                }
            }
        }

        private int[] Ids(TrainingExample row) => Raw
            ? SegmentEncoder.Ids(Session.Tokenizer, [PromptSegment.Begin, PromptSegment.User(row.Question)])
            : Session.PromptIds(row);

        private string AsJson(TrainingExample row, int[] ids, Generation answer) => JsonSerializer.Serialize(
            new
            {
                id = row.Id,
                prompt = row.Question,
                response = Session.Decode(answer),
                prompt_tokens = ids.Length,
                response_tokens = answer.Tokens.Count,
                stop = answer.Stop == StopReason.End ? "end" : "length",
                log_likelihood = answer.LogLikelihood,
            },
            Json);
    }
}
