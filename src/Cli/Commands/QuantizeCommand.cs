using System.CommandLine;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Model;

namespace SafeLlama.Cli.Commands;

/// <summary><c>quantize</c>: a checkpoint to one whose linears take 4 or 8 bits.</summary>
internal static class QuantizeCommand
{
    public static Command Create() => new QuantizeOptions().Verb(
        "quantize",
        "Quantize the linears of a checkpoint and write it as transformers and bitsandbytes store it. To see what that "
        + "costs, score a text with both models.",
        Run);

    private static ExitCode Run(QuantizeOptions.Request asked)
    {
        if (asked.Nested && asked.To != LoadAs.Nf4)
        {
            throw SafeLlamaException.Usage("--nested quantizes the absmax values of nf4, and needs --to nf4.");
        }

        if (GgufHeader.IsGguf(asked.Model))
        {
            throw SafeLlamaException.Usage(
                $"--model {asked.Model}: is a GGUF file, expected a model folder. GGUF has forms of its own: "
                + "export --to gguf --type q4_k_m.");
        }

        var before = LlamaWeights.BytesOf(asked.Model);
        var (count, leftOut) = AtomicFolder.Create(
            asked.Out, partial => ModelFolder.Quantize(partial, asked.Model, new(asked.To, asked.Nested)));
        Terminal.Notes(leftOut.Select(name =>
            $"{asked.Model}: {name} is not in the new folder: it is a folder, or holds weights in another form."));
        var bytes = FileFacts.Length(Path.Combine(asked.Out, "model.safetensors"));
        if (asked.Json)
        {
            Terminal.PrintJson(new QuantizeResult(asked.Out, SettingText.Of(asked.To), count, bytes, before));
        }
        else
        {
            var (size, of) = (bytes / 1e6, before / 1e6);
            Terminal.Print(FormattableString.Invariant(
                $"{asked.Out}: {count} linears in {SettingText.Of(asked.To)}, {size:F1} MB of {of:F1}."));
        }

        return ExitCode.Success;
    }
}
