using System.CommandLine;
using System.Text.Json;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Inference;
using SafeLlama.Model;

namespace SafeLlama.Cli.Commands;

/// <summary><c>export</c>: a model or an adapter in a form that other runtimes load.</summary>
internal sealed class ExportCommand
{
    private const string NoTokenizer = "none";

    private static readonly Dictionary<string, GgufFormat> Types =
        Enum.GetValues<GgufFormat>().ToDictionary(format => format.ToString().ToLowerInvariant());

    private readonly Option<string> _model = CommonOptions.Model();
    private readonly Option<string?> _adapter = CommonOptions.Adapter();
    private readonly Option<string> _template = CommonOptions.Template();
    private readonly Option<int> _threads = CommonOptions.Threads();
    private readonly Option<bool> _json = CommonOptions.Json();

    private readonly Option<string> _to = new Option<string>("--to")
    {
        Description = "gguf: one file for llama.cpp; ollama: a folder with a Modelfile; hf: a Hugging Face folder.",
        HelpName = "gguf|ollama|hf",
        Required = true,
    }.AcceptOnlyFromAmong("gguf", "ollama", "hf");

    private readonly Option<string?> _type = new Option<string?>("--type")
    {
        Description = "How matrices are stored in GGUF. Default: as the base stores them, which loses nothing.",
        HelpName = string.Join('|', Types.Keys),
    }.AcceptOnlyFromAmong([.. Types.Keys]);

    private readonly Option<bool> _adapterOnly = new("--adapter-only")
    {
        Description = "Write the adapter as a GGUF file of its own, to be put beside its base.",
    };

    private readonly Option<string?> _tokenizer = new Option<string?>("--tokenizer")
    {
        Description = "none: write a GGUF file without a tokenizer, to be given ids.",
        HelpName = NoTokenizer,
    }.AcceptOnlyFromAmong(NoTokenizer);

    private readonly Option<string> _out = new("--out")
    {
        Description = "The new file (gguf) or folder. What is there is not overwritten.",
        HelpName = "FILE|DIR",
        Required = true,
    };

    private readonly ExportCheckOptions _check = new();

    public static Command Create() => new ExportCommand().Build();

    private Command Build()
    {
        var command = new Command(
            "export", "Write a model, with its adapter folded in, or the adapter alone, for llama.cpp, Ollama or "
            + "Hugging Face.")
        {
            _model, _adapter, _to, _type, _adapterOnly, _template, _tokenizer, _out,
        };
        _check.AddTo(command);
        command.Add(_threads);
        command.Add(_json);
        command.SetAction(Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        CheckTogether(parsed);
        var (to, target) = (parsed.GetValue(_to)!, parsed.GetValue(_out)!);
        var withoutPrompts = parsed.GetValue(_tokenizer) is not null || parsed.GetValue(_adapterOnly);
        var request = new ExportRequest
        {
            Model = parsed.GetValue(_model)!,
            Adapter = parsed.GetValue(_adapter),
            Template = withoutPrompts ? null : Template(parsed),
            Format = parsed.GetValue(_type) is { } type ? Types[type] : null,
            Threads = parsed.GetValue(_threads),
        };
        var format = to switch
        {
            "hf" => WriteHuggingFace(request, target),
            "ollama" => WriteOllama(request, target),
            _ => WriteGguf(request, target, parsed.GetValue(_adapterOnly)),
        };
        var bytes = Directory.Exists(target)
            ? Directory.GetFiles(target).Sum(FileFacts.Length)
            : FileFacts.Length(target);
        var (code, check) = _check.Run(parsed, request, to, target, format);
        Console.WriteLine(parsed.GetValue(_json)
            ? JsonSerializer.Serialize(
                new ExportResult(target, to, bytes, format?.ToString().ToLowerInvariant(), check), Json.Line)
            : $"{target}: {(format is null ? "" : $"{format}, ")}{bytes / 1e6:F1} MB.");
        return (int)code;
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
            export.WriteModel(Path.Combine(partial, "model.gguf"), merged: false);
            if (request.Adapter is not null)
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

    private PromptTemplate Template(ParseResult parsed)
    {
        var model = parsed.GetValue(_model)!;
        var chosen = TemplateResolver.Choose(
            parsed.GetValue(_template)!, TokenizerLoader.Load(model), model, parsed.GetValue(_adapter));
        Terminal.Notes(chosen.Notes);
        return chosen.Template;
    }

    /// <summary>Settings that would have no effect are refused.</summary>
    private void CheckTogether(ParseResult parsed)
    {
        var to = parsed.GetValue(_to);
        var only = parsed.GetValue(_adapterOnly);
        var asksForTemplate = parsed.GetResult(_template) is { Implicit: false };
        var fault = this switch
        {
            _ when only && to != "gguf" => $"--adapter-only has no effect with --to {to}",
            _ when only && parsed.GetValue(_adapter) is null => "--adapter-only needs --adapter",
            _ when only && parsed.GetValue(_type) is not null =>
                "--type has no effect with --adapter-only: an adapter is F32, its rows fit no block",
            _ when only && parsed.GetValue(_tokenizer) is not null => "--tokenizer has no effect with --adapter-only",
            _ when only && asksForTemplate => "--template has no effect with --adapter-only",
            _ when only && _check.IsAsked(parsed) => "--check needs a whole model, not --adapter-only",
            _ when parsed.GetValue(_type) is not null && to == "hf" => "--type has no effect with --to hf",
            _ when parsed.GetValue(_tokenizer) is not null && to != "gguf" => $"--tokenizer none: not with --to {to}",
            _ when parsed.GetValue(_tokenizer) is not null && asksForTemplate =>
                "--template has no effect with --tokenizer none",
            _ when parsed.GetValue(_tokenizer) is not null && _check.IsAsked(parsed) =>
                "--check needs the tokenizer, which --tokenizer none leaves out",
            _ when _check.Idle(parsed) is { } idle => $"{idle} has no effect without --check",
            _ => null,
        };
        if (fault is not null)
        {
            throw SafeLlamaException.Usage($"export: {fault}.");
        }
    }
}
