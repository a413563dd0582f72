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
        "Fold an adapter into its base, W + s·BA, and write one plain checkpoint in the base's number type; over a "
        + "quantized base, into the decoded weights that it was trained over.",
        Run);

    private static ExitCode Run(MergeOptions.Request asked)
    {
        if (GgufHeader.IsGguf(asked.Model))
        {
            throw SafeLlamaException.Usage(
                $"--model {asked.Model}: is a GGUF file, which has no config.json or tokenizer.json for the new "
                + "folder. Fold the adapter into a GGUF file with export --to gguf.");
        }

        var (report, pairs) = AtomicFolder.Create(asked.Out, partial =>
        {
            using var backend = Devices.Open(asked);
            using var session = LlamaSession.Open(backend, asked.Model, new()
            {
                Adapter = asked.Adapter,
                Load = new(asked.Load, asked.Nested),
            });
            var merged = ModelFolder.Merge(
                partial, asked.Model, session.Weights, session.Adapter!, asked.Adapter, new(asked.Type));
            TemplateRecord.Copy(asked.Adapter, partial);
            Terminal.Notes(merged.LeftOut.Select(name =>
                $"{asked.Model}: {name} is not in the merged folder: it is a folder, or holds weights without the "
                + "adapter."));
            return (merged, session.Adapter!.Pairs.Count);
        });
        var bytes = FileFacts.Length(Path.Combine(asked.Out, "model.safetensors"));
        if (asked.Json)
        {
            Terminal.PrintJson(new MergeResult(asked.Out, report.Changed, pairs, bytes)
            {
                Requantized = report.Requantized.Count > 0 ? report.Requantized : null,
            });
        }
        else
        {
            foreach (var (layer, ratio) in report.Requantized)
            {
                Terminal.Print(FormattableString.Invariant(
                    $"layer {layer}: quantizing the merged weights once more would err by {ratio:F2} of the update."));
            }

            Terminal.Print(
                $"{asked.Out}: {Counted.Of(report.Changed, "weight")} changed by {Counted.Of(pairs, "pair")}, "
                + $"{bytes / 1e6:F1} MB.");
        }

        return ExitCode.Success;
    }
}
