using System.Text.RegularExpressions;

namespace SafeLlama.Common;

/// <summary>An error the user can act on: one clear line, and the exit code that goes with it.</summary>
/// <remarks>
/// The message names the thing, what was found, what was expected and the way out. A setting is named by its property,
/// in backquotes: <c>$"`{nameof(MicroBatch)}` {MicroBatch}: expected at least 1."</c>. Whoever shows the message
/// inserts the name its reader knows: a program with flags shows <c>--micro-batch</c>, <see cref="Message"/> shows
/// <c>MicroBatch</c>. Any other exception that reaches the top of the program is a bug.
/// </remarks>
public sealed partial class SafeLlamaException : Exception
{
    public SafeLlamaException(
        ExitCode code, string fault, Exception? inner = null, params IReadOnlyList<string> waysOut)
        : base(fault, inner) => (Code, Fault, WaysOut) = (code, fault, waysOut);

    public ExitCode Code { get; }

    /// <summary>The fault, with settings in backquotes.</summary>
    public string Fault { get; }

    /// <summary>What the user can do, such as <c>raise `MaxLength`</c>; one of them is enough.</summary>
    public IReadOnlyList<string> WaysOut { get; }

    public override string Message => MessageFor(name => name);

    /// <summary>An option, a recipe or a path does not make sense: exit code 2.</summary>
    public static SafeLlamaException Usage(string fault, params IReadOnlyList<string> waysOut) =>
        new(ExitCode.Usage, fault, null, waysOut);

    /// <summary>A file is not what it claims to be: exit code 3.</summary>
    public static SafeLlamaException InvalidData(string fault) => new(ExitCode.InvalidData, fault);

    /// <summary>A file is not what it claims to be, found through <paramref name="inner"/>: exit code 3.</summary>
    public static SafeLlamaException InvalidData(
        string fault, Exception inner, params IReadOnlyList<string> waysOut) =>
        new(ExitCode.InvalidData, fault, inner, waysOut);

    /// <summary>Something outside the program failed: exit code 1.</summary>
    public static SafeLlamaException Failure(string fault, Exception inner, params IReadOnlyList<string> waysOut) =>
        new(ExitCode.Failure, fault, inner, waysOut);

    /// <summary>The work does not fit: exit code 4.</summary>
    public static SafeLlamaException DoesNotFit(string fault, params IReadOnlyList<string> waysOut) =>
        new(ExitCode.DoesNotFit, fault, null, waysOut);

    /// <summary>The settings that the fault names.</summary>
    public IEnumerable<string> Settings => SettingName().Matches(Fault).Select(m => m.Groups[1].Value).Distinct();

    /// <summary>The same error with more words after the fault.</summary>
    public SafeLlamaException Adding(string words) => new(Code, $"{Fault} {words}", InnerException, WaysOut);

    /// <summary>The message for a reader who knows settings by other names.</summary>
    /// <param name="nameOf">The reader's name of a setting; null where the reader cannot set it. A way out that needs
    /// such a setting is left out.</param>
    public string MessageFor(Func<string, string?> nameOf)
    {
        var ways = WaysOut.Where(way => SettingName().Matches(way).All(m => nameOf(m.Groups[1].Value) is not null))
            .Select(way => Named(way, nameOf)).ToList();
        var fault = Named(Fault, nameOf);
        return ways.Count == 0 ? fault
            : $"{fault} {char.ToUpperInvariant(ways[0][0])}{Joined(ways)[1..]}.";
    }

    private static string Joined(List<string> ways) => ways.Count == 1 ? ways[0]
        : $"{string.Join(", ", ways.SkipLast(1))}, or {ways[^1]}";

    /// <summary>A text with its settings, in backquotes, as the reader names them.</summary>
    public static string Named(string text, Func<string, string?> nameOf) => SettingName().Replace(
        text, m => nameOf(m.Groups[1].Value) ?? InWords(m.Groups[1].Value));

    private static string InWords(string name) => WordStart().Replace(name, " $0").ToLowerInvariant();

    [GeneratedRegex("`([A-Z][A-Za-z0-9]*)`")]
    private static partial Regex SettingName();

    [GeneratedRegex("(?<!^)[A-Z]")]
    private static partial Regex WordStart();
}
