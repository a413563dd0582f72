using System.Text.RegularExpressions;

namespace SafeLlama.Lab;

/// <summary>Names of the code as words of a sentence.</summary>
internal static partial class Words
{
    /// <summary>"full refusal" of <c>FullRefusal</c>.</summary>
    public static string Of<T>(T name)
        where T : struct, Enum => Boundary().Replace(name.ToString(), " ").ToLowerInvariant();

    [GeneratedRegex("(?<=[a-z])(?=[A-Z])")]
    private static partial Regex Boundary();
}
