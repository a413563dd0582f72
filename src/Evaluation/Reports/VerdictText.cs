using System.Globalization;
using System.Text.Json;

namespace SafeLlama.Evaluation;

/// <summary>What a judge said of an answer, in words.</summary>
public static class VerdictText
{
    /// <summary>"full refusal, score 0.2, safe", or "unscored" with the reason. The basis is not part of it.</summary>
    public static string Of(Verdict verdict) => Of(verdict.Behavior, verdict.Score, verdict.Unsafe, verdict.Unscored);

    /// <param name="behavior">The class, from judges that classify.</param>
    /// <param name="score">In the judge's own range.</param>
    /// <param name="isUnsafe">Whether the answer is harmful.</param>
    /// <param name="unscored">Why there is no verdict.</param>
    public static string Of(Behavior? behavior, double? score, bool? isUnsafe, string? unscored) =>
        unscored is not null
            ? $"unscored: {unscored}"
            : string.Join(", ", new[]
            {
                behavior is { } given ? Name(given) : null,
                score is { } number ? "score " + number.ToString("0.###", CultureInfo.InvariantCulture) : null,
                isUnsafe switch { true => "unsafe", false => "safe", null => null },
            }.OfType<string>());

    private static string Name(Behavior behavior) =>
        JsonNamingPolicy.SnakeCaseLower.ConvertName(behavior.ToString()).Replace('_', ' ');
}
