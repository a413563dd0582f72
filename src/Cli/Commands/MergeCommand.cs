using System.CommandLine;
using System.Text.Json;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Inference;
using SafeLlama.Model;

namespace SafeLlama.Cli.Commands;

/// <summary><c>merge</c>: base and adapter to one plain checkpoint.</summary>
internal static class MergeCommand
{
    public static Command Create()
    {
        var (model, device, threads, json) =
            (CommonOptions.Model(), CommonOptions.Device(), CommonOptions.Threads(), CommonOptions.Json());
        var adapter = new Option<string>("--adapter")
        {
            Description = "The PEFT adapter folder to fold in.",
            HelpName = "DIR",
            Required = true,
        };
        var output = CommonOptions.Out("The new model folder.");
        var command = new Command(
            "merge",
            "Fold an adapter into its base, W + s·BA, and write one plain checkpoint in the base's number type.")
        {
            model, adapter, output, device, threads, json,
        };
        command.SetAction(parsed =>
        {
            var (folder, target) = (parsed.GetValue(model)!, parsed.GetValue(output)!);
            if (GgufHeader.IsGguf(folder))
            {
                throw SafeLlamaException.Usage(
                    $"{model.Name} {folder}: is a GGUF file, which has no config.json or tokenizer.json for the new "
                    + "folder. Fold the adapter into a GGUF file with export --to gguf.");
            }

            var (changed, pairs) = AtomicFolder.Create(target, partial =>
            {
                using var backend = Devices.Open(parsed.GetValue(device)!, parsed.GetValue(threads));
                using var session = LlamaSession.Open(backend, folder, new() { Adapter = parsed.GetValue(adapter) });
                var (count, leftOut) = ModelFolder.Merge(
                    partial, folder, session.Weights, session.Adapter!, parsed.GetValue(adapter)!);
                TemplateRecord.Copy(parsed.GetValue(adapter)!, partial);
                Terminal.Notes(leftOut.Select(name =>
                    $"{folder}: {name} is not in the merged folder: it is a folder, or holds weights without the "
                    + "adapter."));
                return (count, session.Adapter!.Pairs.Count);
            });
            var path = Path.Combine(target, "model.safetensors");
            Console.WriteLine(parsed.GetValue(json)
                ? JsonSerializer.Serialize(new MergeResult(target, changed, pairs, FileFacts.Length(path)), Json.Line)
                : $"{target}: {changed} weights changed by {pairs} pairs, "
                    + $"{FileFacts.Length(path) / 1e6:F1} MB.");
            return (int)ExitCode.Success;
        });
        return command;
    }
}
