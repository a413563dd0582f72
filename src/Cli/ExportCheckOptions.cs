using System.CommandLine;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Evaluation;
using SafeLlama.Inference;
using SafeLlama.Model;

namespace SafeLlama.Cli;

/// <summary>What <c>export --check</c> asks, and the comparison itself.</summary>
internal sealed class ExportCheckOptions
{
    private readonly Option<string[]> _suites = new("--check")
    {
        Description = "Ask the original and the export the prompts of these suites, compare refusals and greedy "
            + "answers, and exit with 6 if they differ beyond what the type allows.",
        HelpName = "SUITE|FILE…",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<string?> _folder = new("--suites")
    {
        Description = "The folder that holds the files of known suites.",
        HelpName = "DIR",
    };

    private readonly Option<int> _tokens = new("--max-new-tokens")
    {
        Description = "The longest answer of --check, in tokens.",
        HelpName = "N",
        DefaultValueFactory = _ => 64,
    };

    private readonly Option<string> _device = CommonOptions.Device();

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _suites, _folder, _tokens, _device })
        {
            command.Add(option);
        }
    }

    public bool IsAsked(ParseResult parsed) => parsed.GetValue(_suites) is { Length: > 0 };

    /// <summary>An option of the check that would have no effect; null where there is none.</summary>
    public string? Idle(ParseResult parsed) => IsAsked(parsed) ? null : new Option[] { _folder, _tokens, _device }
        .FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false })?.Name;

    /// <summary>Compares, and prints what was found on stderr.</summary>
    /// <param name="format">How matrices were stored; null where as in the base.</param>
    /// <returns>Null where no check was asked for.</returns>
    public (ExitCode Code, ExportComparison? Result) Run(
        ParseResult parsed, ExportRequest request, string to, string target, GgufFormat? format)
    {
        if (!IsAsked(parsed))
        {
            return (ExitCode.Success, null);
        }

        var prompts = parsed.GetValue(_suites)!
            .SelectMany(suite => SuiteRegistry.Open(suite, parsed.GetValue(_folder)).Prompts).ToList();
        using var backend = Devices.Open(parsed.GetValue(_device)!, request.Threads);
        using var interrupt = new Interrupt();
        using var original = LlamaSession.Open(
            backend, request.Model, new() { Adapter = request.Adapter, Template = request.Template! });
        var file = to == "ollama" ? Path.Combine(target, "model.gguf") : target;
        using var exported = LlamaSession.Open(
            backend,
            file,
            new()
            {
                Adapter = to == "ollama" ? request.Adapter : null,
                Template = new JinjaTemplate(ChatTemplateFile.Find(file)!, TokenizerLoader.Load(file)),
            });
        var result = ExportCheck.Run(original, exported, prompts, parsed.GetValue(_tokens), interrupt.Token);
        var tolerance = ExportTolerance.Of(format ?? GgufFormat.BF16);
        Terminal.Notes(result.Lines(tolerance));
        return (result.IsWithin(tolerance) ? ExitCode.Success : ExitCode.GateMissed, result);
    }
}
