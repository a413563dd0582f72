using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Cli;

/// <summary>
/// The entry point: runs the arguments and returns an exit code, with one line on stderr for a user's mistake.
/// </summary>
public static class CommandLine
{
    /// <summary>Set to 1, an unexpected error shows its stack.</summary>
    private const string DebugVariable = "SAFELLAMA_DEBUG";

    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static int Run(string[] args)
    {
        ParseResult? parsed = null;
        try
        {
            FaultInjection.Arm();
            SharedWork.Join(args.FirstOrDefault());
            parsed = Root(args.FirstOrDefault()).Parse(args, new ParserConfiguration
            {
                // A prompt that begins with "@" is a prompt, not a response file.
                ResponseFileTokenReplacer = null,
                EnablePosixBundling = false,
            });
            if (parsed.Action is HelpAction && args.Contains("--json"))
            {
                HelpJson.Print(parsed.CommandResult.Command, string.Join(" ", Path(parsed.CommandResult).Skip(1)));
                SharedWork.Leave(0);
                return (int)ExitCode.Success;
            }

            var isAsked = parsed.Action is not HelpAction && !IsSuggestion(args);
            var code = isAsked && StrayOption.Find(parsed, args) is { } stray ? Refuse(parsed, stray)
                : isAsked && parsed.Errors.Count > 0 ? Refuse(parsed)
                : parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
            SharedWork.Leave(code);
            return code;
        }
        catch (Exception e)
        {
            var (code, line) = Told(e, FlagNames.Of(parsed?.CommandResult.Command));
            SharedWork.Ranks.Abort(code, line);      // ends this process too, where it is one of many
            Terminal.Note($"safellama: {line}");
            return (int)code;
        }
    }

    /// <summary>One line for the user, and the exit code that goes with it.</summary>
    private static (ExitCode Code, string Line) Told(Exception error, Func<string, string?> nameOf) => error switch
    {
        SafeLlamaException e => (e.Code, SafeText.ForTerminalCell(e.MessageFor(nameOf))),
        OperationCanceledException => (ExitCode.Interrupted, "interrupted."),
        _ when GpuBackend.FaultOf(error) is { } fault => (fault.Code, fault.MessageFor(nameOf)),
        _ when Environment.GetEnvironmentVariable(DebugVariable) == "1" => (ExitCode.Failure, $"{error}"),
        // Files are written by code that names them; what is left is the output itself.
        IOException e when IsDiskFull(e) => (ExitCode.Failure,
            "standard output: no space is left where it goes. Make room, or send it elsewhere."),
        _ => (ExitCode.Failure,
            $"unexpected {error.GetType().Name}: {OneLine(error.Message)} {DebugVariable}=1 shows where."),
    };

    /// <summary>ENOSPC, or ERROR_DISK_FULL of Windows.</summary>
    private static bool IsDiskFull(IOException error) =>
        error.HResult is 28 or unchecked((int)0x80070070);

    /// <summary>The verbs below one root: all, or only the one that the first argument names; the help aliases of
    /// another system's shells are left out.</summary>
    internal static RootCommand Root(string? first = null)
    {
        var root = new RootCommand(
            "Fine-tunes LLaMA models for safety with low-rank adapters, and measures what it did.");
        foreach (var help in root.Options.OfType<HelpOption>())
        {
            help.Aliases.Remove("/h");
            help.Aliases.Remove("/?");
        }

        foreach (var verb in Verbs.For(first))
        {
            root.Add(verb);
        }

        return root;
    }

    /// <summary>Whether a shell asks how a command line may go on.</summary>
    private static bool IsSuggestion(string[] args) =>
        args is [var first, ..] && first.StartsWith("[suggest", StringComparison.Ordinal);

    /// <summary>Arguments that the parser did not understand are a usage error of one line on stderr.</summary>
    private static int Refuse(ParseResult parsed)
    {
        var faults = string.Join(" ", parsed.Errors.Select(e => OneLine(e.Message)).Distinct());
        var meant = Suggestions(parsed);
        return Refuse(parsed, faults + (meant.Count > 0 ? $" Did you mean {string.Join(" or ", meant)}?" : ""));
    }

    private static int Refuse(ParseResult parsed, string fault)
    {
        var path = string.Join(" ", Path(parsed.CommandResult));
        Terminal.Note($"{path}: {OneLine(fault)} See {path} --help.");
        return (int)ExitCode.Usage;
    }

    /// <summary>The names that System.CommandLine suggests for those it did not understand.</summary>
    private static List<string> Suggestions(ParseResult parsed)
    {
        if (parsed.Action is not ParseErrorAction action)
        {
            return [];
        }

        (action.ShowHelp, action.ShowTypoCorrections) = (false, true);
        using var said = new StringWriter();
        parsed.Invoke(new InvocationConfiguration { Output = said, Error = TextWriter.Null });
        return [.. said.ToString().Split('\n').Select(line => line.Trim())
            .SkipWhile(line => !line.EndsWith('?')).Where(line => line.Length > 2 && !line.EndsWith('?')).Distinct()];
    }

    private static IEnumerable<string> Path(CommandResult result) => result.Parent is CommandResult parent
        ? Path(parent).Append(result.Command.Name)
        : ["safellama"];

    private static string OneLine(string text) => text.ReplaceLineEndings(" ").Trim();
}
