using System.Text.Json;

namespace SafeLlama.Common;

/// <summary>A command line of the program, for pages that tell their reader what to run.</summary>
public static class ProgramCommand
{
    /// <summary>"safellama study base --seed 2 --out DIR". A setting with no value is left out.</summary>
    /// <param name="verb">The verb, with what stands right after it.</param>
    /// <param name="settings">Settings by the names of their properties, with their values.</param>
    public static string Of(string verb, params IEnumerable<(string Setting, string? Value)> settings) => string.Concat(
        settings.Where(s => s.Value is not null).Select(s => $" {Flag(s.Setting)} {s.Value}")
            .Prepend($"safellama {verb}"));

    /// <summary>A setting's flag, from the name of its property: <c>MicroBatch</c> is <c>--micro-batch</c>.</summary>
    public static string Flag(string property) => "--" + JsonNamingPolicy.KebabCaseLower.ConvertName(property);
}
