using SafeLlama.Cli.Options;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Evaluation;
using SafeLlama.Inference;
using SafeLlama.Model;

namespace SafeLlama.Cli;

/// <summary>Runs <c>export --check</c>.</summary>
internal static class ExportComparing
{
    /// <summary>Compares, and prints the findings on stderr.</summary>
    /// <param name="format">How matrices were stored; null where as in the base.</param>
    /// <returns>Null where no check was asked for.</returns>
    public static (ExitCode Code, ExportComparison? Result) Run(
        ExportOptions.Request asked, ExportRequest request, GgufFormat? format)
    {
        if (asked.Check.Count == 0)
        {
            return (ExitCode.Success, null);
        }

        var prompts = asked.Check.SelectMany(suite => SuiteRegistry.Open(suite, asked.Suites).Prompts).ToList();
        using var backend = Devices.Open(asked);
        using var interrupt = new Interrupt();
        using var original = LlamaSession.Open(
            backend, request.Model, new() { Adapter = request.Adapter, Template = request.Template! });
        var file = asked.To == "ollama" ? Path.Combine(asked.Out, "model.gguf") : asked.Out;
        using var exported = LlamaSession.Open(
            backend,
            file,
            new()
            {
                Adapter = asked.To == "ollama" ? request.Adapter : null,
                Template = new JinjaTemplate(ChatTemplateFile.Find(file)!, TokenizerLoader.Load(file)),
            });
        var result = ExportCheck.Run(original, exported, prompts, asked.MaxNewTokens, interrupt.Token);
        var tolerance = ExportTolerance.Of(format ?? GgufFormat.BF16);
        Terminal.Notes(result.Lines(tolerance));
        return (result.IsWithin(tolerance) ? ExitCode.Success : ExitCode.GateMissed, result);
    }
}
