using System.Text.RegularExpressions;

namespace SafeLlama.Lab;

/// <summary>Names of the code as words of a sentence.</summary>
internal static partial class Words
{
    /// <summary>The kind of an event that another computation must end before this one begins.</summary>
    public const string Waiting = "waiting";

    /// <summary>"full refusal" of <c>FullRefusal</c>.</summary>
    public static string Of<T>(T name)
        where T : struct, Enum => Boundary().Replace(name.ToString(), " ").ToLowerInvariant();

    [GeneratedRegex("(?<=[a-z])(?=[A-Z])")]
    private static partial Regex Boundary();
}
