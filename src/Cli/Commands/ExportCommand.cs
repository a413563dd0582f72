using System.CommandLine;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Evaluation;
using SafeLlama.Inference;
using SafeLlama.Model;

namespace SafeLlama.Cli.Commands;

/// <summary><c>export</c>: writes a model or an adapter in a format that other runtimes load.</summary>
internal sealed class ExportCommand
{
    private readonly ExportOptions _options = new();

    public static Command Create() => new ExportCommand().Build();

    private Command Build() => _options.Verb(
        "export", "Write a model, with its adapter folded in, or the adapter alone, for llama.cpp, Ollama or "
        + "Hugging Face.", Run);

    private ExitCode Run(ExportOptions.Request asked, ParseResult parsed)
    {
        CheckTogether(parsed, asked);
        var request = new ExportRequest
        {
            Model = asked.Model,
            Adapter = asked.Adapter,
            Template = asked.Tokenizer is not null || asked.AdapterOnly ? null : Template(asked),
            Format = asked.Type is { } type ? ExportOptions.Types[type] : null,
            Results =
            [
                .. asked.Results.Select(run => CardResults.Section(
                    run, ModelIdentity.Weights(asked.Model, asked.Adapter))),
            ],
            Threads = asked.Threads,
        };
        var format = asked.To switch
        {
            "hf" => WriteHuggingFace(request, asked.Out),
            "ollama" => WriteOllama(request, asked.Out),
            _ => WriteGguf(request, asked.Out, asked.AdapterOnly),
        };
        var bytes = Directory.Exists(asked.Out)
            ? Directory.GetFiles(asked.Out).Sum(FileFacts.Length)
            : FileFacts.Length(asked.Out);
        var (code, check) = ExportComparing.Run(asked, request, format);
        if (asked.Json)
        {
            Terminal.PrintJson(
                new ExportResult(asked.Out, asked.To, bytes, format?.ToString().ToLowerInvariant(), check));
        }
        else
        {
            Terminal.Print($"{asked.Out}: {(format is null ? "" : $"{format}, ")}{bytes / 1e6:F1} MB.");
        }

        return code;
    }

    private static GgufFormat? WriteHuggingFace(ExportRequest request, string target)
    {
        Terminal.Notes(AtomicFolder.Create(target, partial => HuggingFaceExport.Write(request, partial)));
        return null;
    }

    private static GgufFormat WriteOllama(ExportRequest request, string target)
    {
        using var export = ModelExport.Open(request);
        AtomicFolder.Create(target, partial =>
        {
            export.WriteModel(Path.Combine(partial, "model.gguf"), merged: export.MustFold);
            if (request.Adapter is not null && !export.MustFold)
            {
                export.WriteAdapter(Path.Combine(partial, "adapter.gguf"));
            }

            OutputFile.WriteText(Path.Combine(partial, "Modelfile"), export.Modelfile());
        });
        Terminal.Notes(export.Notes);
        return export.Format;
    }

    private static GgufFormat WriteGguf(ExportRequest request, string target, bool adapterOnly)
    {
        if (Path.Exists(target))
        {
            throw SafeLlamaException.Usage($"--out {target}: exists, and nothing is overwritten. Name another file.");
        }

        using var export = ModelExport.Open(request);
        if (adapterOnly)
        {
            export.WriteAdapter(target);
        }
        else
        {
            export.WriteModel(target);
        }

        Terminal.Notes(export.Notes);
        return adapterOnly ? GgufFormat.F32 : export.Format;
    }

    private static PromptTemplate Template(ExportOptions.Request asked)
    {
        var chosen = TemplateResolver.Choose(
            asked.Template, TokenizerLoader.Load(asked.Model), asked.Model, asked.Adapter);
        Terminal.Notes(chosen.Notes);
        return chosen.Template;
    }

    /// <summary>Settings that would have no effect are refused.</summary>
    private void CheckTogether(ParseResult parsed, ExportOptions.Request asked)
    {
        var (to, only, isChecked) = (asked.To, asked.AdapterOnly, asked.Check.Count > 0);
        var asksForTemplate = _options.IsGiven(parsed, nameof(asked.Template));
        var fault = asked switch
        {
            _ when only && to != "gguf" => $"--adapter-only has no effect with --to {to}",
            { AdapterOnly: true, Adapter: null } => "--adapter-only needs --adapter",
            { AdapterOnly: true, Type: not null } =>
                "--type has no effect with --adapter-only: an adapter is F32, its rows fit no block",
            { AdapterOnly: true, Tokenizer: not null } => "--tokenizer has no effect with --adapter-only",
            _ when only && asksForTemplate => "--template has no effect with --adapter-only",
            _ when only && isChecked => "--check needs a whole model, not --adapter-only",
            { Type: not null, To: "hf" } => "--type has no effect with --to hf",
            { Results.Count: > 0, To: not "hf" } => $"--results has no effect with --to {to}",
            { Tokenizer: not null, To: not "gguf" } => $"--tokenizer none: not with --to {to}",
            { Tokenizer: not null } when asksForTemplate => "--template has no effect with --tokenizer none",
            { Tokenizer: not null } when isChecked =>
                "--check needs the tokenizer, which --tokenizer none leaves out",
            _ when !isChecked && _options.FirstGiven(
                parsed, nameof(asked.Suites), nameof(asked.MaxNewTokens), nameof(asked.Device)) is { } idle =>
                $"{idle} has no effect without --check",
            _ => null,
        };
        if (fault is not null)
        {
            throw SafeLlamaException.Usage($"export: {fault}.");
        }
    }
}
