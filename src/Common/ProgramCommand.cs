using System.Text.Json;
using System.Text.RegularExpressions;

namespace SafeLlama.Common;

/// <summary>A command line of the program, for pages that tell their reader what to run.</summary>
public static partial class ProgramCommand
{
    /// <summary>"safellama study base --seed 2 --out DIR". A setting with no value is left out.</summary>
    /// <param name="verb">The verb, with what stands right after it.</param>
    /// <param name="settings">Settings by the names of their properties, with their values.</param>
    public static string Of(string verb, params IEnumerable<(string Setting, string? Value)> settings) => string.Concat(
        settings.Where(s => s.Value is not null).Select(s => $" {Flag(s.Setting)} {Quoted(s.Value!)}")
            .Prepend($"safellama {verb}"));

    /// <summary>A word as bash and zsh take it: in quotes where it would be taken apart.</summary>
    public static string Quoted(string word) => word.Length > 0 && Plain().IsMatch(word) ? word
        : word.Any(char.IsControl) ? "$'" + string.Concat(word.Select(Escaped)) + "'"
        : "'" + word.Replace("'", "'\\''", StringComparison.Ordinal) + "'";

    /// <summary>A setting's flag, from the name of its property: <c>MicroBatch</c> is <c>--micro-batch</c>.</summary>
    public static string Flag(string property) => "--" + JsonNamingPolicy.KebabCaseLower.ConvertName(property);

    private static string Escaped(char c) => char.IsControl(c) ? $"\\u{(int)c:x4}"
        : c is '\'' or '\\' ? $"\\{c}" : $"{c}";

    [GeneratedRegex(@"^[\w@%+=:,./-][\w@%+=:,./~-]*\z")]
    private static partial Regex Plain();
}
