using System.CommandLine;
using SafeLlama.Cli.Inspecting;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Inference;

namespace SafeLlama.Cli.Commands;

/// <summary><c>inspect</c>: the refusal direction of a model, its removal and addition, and a logit lens.</summary>
internal static class InspectCommand
{
    public static Command Create()
    {
        var options = new InspectOptions();
        var command = new Command(
            "inspect",
            "Look inside a model: the direction by which its residual stream tells harmful prompts from harmless ones, "
            + "what it refuses without it, and what it would say layer by layer. For models of your own.");
        options.AddTo(command);
        command.SetAction((parsed, _) => RunAsync(options, parsed));
        return command;
    }

    private static async Task<int> RunAsync(InspectOptions options, ParseResult parsed)
    {
        var asked = options.Read(parsed);
        MustMatter(options, parsed, asked);
        var prompts = asked.Harmful.Count == 0
            ? null : InspectedPrompts.Read(asked.Harmful, asked.Harmless, asked.Suites, asked.Prompts);
        using var backend = Devices.Open(asked);
        using var session = LlamaSession.Open(backend, asked.Model, new()
        {
            Adapter = asked.Adapter,
            Load = new(asked.Load, asked.Nested),
            TemplateName = asked.Template,
            MaxLength = asked.MaxLength,
        });
        Terminal.Notes(session.Notes);
        using var interrupt = new Interrupt();
        var inspection = new Inspection(session, asked, prompts, interrupt.Token);
        var result = new InspectResult(session.Identity.Hash)
        {
            Direction = inspection.Direction(),
            Refusals = await inspection.RefusalsAsync(),
            Lens = inspection.Lens(),
        };
        if (asked.Json)
        {
            Terminal.PrintJson(result);
        }
        else
        {
            Terminal.Print(InspectView.Lines(result));
        }

        inspection.Save();
        return (int)ExitCode.Success;
    }

    /// <summary>Settings that would have no effect are refused.</summary>
    private static void MustMatter(InspectOptions options, ParseResult parsed, InspectOptions.Request asked)
    {
        if ((asked.Harmful.Count == 0) != (asked.Harmless.Count == 0))
        {
            throw SafeLlamaException.Usage("inspect: a direction needs both --harmful and --harmless prompts.");
        }

        if (asked.Harmful.Count == 0)
        {
            if (asked.Lens is null)
            {
                throw SafeLlamaException.Usage(
                    "inspect: nothing to look at. Name --harmful and --harmless prompts, or a request with --lens.");
            }

            options.Refuse(
                parsed, "without --harmful and --harmless", nameof(asked.Suites), nameof(asked.Prompts),
                nameof(asked.Against), nameof(asked.Ablate), nameof(asked.Add), nameof(asked.Layers),
                nameof(asked.Out), nameof(asked.Without));
        }

        if (!asked.Ablate && asked.Add.Count == 0)
        {
            options.Refuse(
                parsed, "without --ablate or --add", nameof(asked.MaxNewTokens), nameof(asked.BatchSize));
            if (asked.Without is null)
            {
                options.Refuse(parsed, "without --ablate, --add or --without", nameof(asked.Layers));
            }
        }

        if (asked.Without is not null && asked.Layers.Count != 1)
        {
            throw SafeLlamaException.Usage("--without: --layers names the one layer whose direction is taken out.");
        }

        if (asked.Without is not null && asked.Adapter is not null)
        {
            throw SafeLlamaException.Usage(
                "--without: an adapter also writes to the stream. Merge it first with merge, then name the merged "
                + "folder with --model.");
        }

        if (asked.Prompts < 0 || asked.MaxNewTokens < 1 || asked.BatchSize < 1)
        {
            throw SafeLlamaException.Usage(
                "inspect: expected --prompts of 0 or more, --max-new-tokens and --batch-size of 1 or more.");
        }

        if (asked.Without is { } folder
            && (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())))
        {
            throw SafeLlamaException.Usage(
                $"--without {folder}: is not empty, and nothing is overwritten. Name another folder.");
        }

        if (Path.Exists(asked.Out))
        {
            throw SafeLlamaException.Usage($"--out {asked.Out}: exists, and nothing is overwritten. Name another file.");
        }
    }
}
