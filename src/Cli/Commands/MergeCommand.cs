using System.CommandLine;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Inference;
using SafeLlama.Model;

namespace SafeLlama.Cli.Commands;

/// <summary><c>merge</c>: merges base and adapter into one checkpoint.</summary>
internal static class MergeCommand
{
    public static Command Create() => new MergeOptions().Verb(
        "merge",
        "Fold an adapter into its base, W + s·BA, and write one plain checkpoint in the base's number type.",
        Run);

    private static ExitCode Run(MergeOptions.Request asked)
    {
        if (GgufHeader.IsGguf(asked.Model))
        {
            throw SafeLlamaException.Usage(
                $"--model {asked.Model}: is a GGUF file, which has no config.json or tokenizer.json for the new "
                + "folder. Fold the adapter into a GGUF file with export --to gguf.");
        }

        var (changed, pairs) = AtomicFolder.Create(asked.Out, partial =>
        {
            using var backend = Devices.Open(asked);
            using var session = LlamaSession.Open(backend, asked.Model, new() { Adapter = asked.Adapter });
            var (count, leftOut) = ModelFolder.Merge(
                partial, asked.Model, session.Weights, session.Adapter!, asked.Adapter);
            TemplateRecord.Copy(asked.Adapter, partial);
            Terminal.Notes(leftOut.Select(name =>
                $"{asked.Model}: {name} is not in the merged folder: it is a folder, or holds weights without the "
                + "adapter."));
            return (count, session.Adapter!.Pairs.Count);
        });
        var bytes = FileFacts.Length(Path.Combine(asked.Out, "model.safetensors"));
        if (asked.Json)
        {
            Terminal.PrintJson(new MergeResult(asked.Out, changed, pairs, bytes));
        }
        else
        {
            Terminal.Print($"{asked.Out}: {changed} weights changed by {pairs} pairs, {bytes / 1e6:F1} MB.");
        }

        return ExitCode.Success;
    }
}
