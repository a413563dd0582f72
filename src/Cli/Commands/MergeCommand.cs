using System.CommandLine;
using System.Text.Json;
using SafeLlama.Cli.Training;
using SafeLlama.Common;
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
            OutputFile.PrepareFolder(target, resume: null);
            using var backend = Devices.Open(parsed.GetValue(device)!, parsed.GetValue(threads));
            using var session = LlamaSession.Open(backend, folder, new() { Adapter = parsed.GetValue(adapter) });

            // An empty folder of that name makes way; the merged one appears whole or not at all.
            Directory.Delete(target);
            var changed = 0;
            ModelFolder.Appear(target, temporary =>
            {
                changed = AdapterMerge.Write(
                    session.Weights, session.Adapter!, Path.Combine(temporary, "model.safetensors"));
                ModelFolder.CopyCompanions(folder, temporary);
                ModelFolder.Copy(folder, temporary, "config.json");
            });
            var path = Path.Combine(target, "model.safetensors");
            Console.WriteLine(parsed.GetValue(json)
                ? JsonSerializer.Serialize(new
                {
                    @out = target,
                    weights_changed = changed,
                    adapter_pairs = session.Adapter!.Pairs.Count,
                    bytes = new FileInfo(path).Length
                })
                : $"{target}: {changed} weights changed by {session.Adapter!.Pairs.Count} pairs, "
                    + $"{new FileInfo(path).Length / 1e6:F1} MB.");
            return (int)ExitCode.Success;
        });
        return command;
    }
}
