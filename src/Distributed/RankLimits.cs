using System.Globalization;
using SafeLlama.Common;

namespace SafeLlama.Distributed;

/// <summary>How long ranks wait for each other before the run ends.</summary>
/// <param name="Silence">Without a sign of life, after which a rank counts as lost.</param>
/// <param name="Start">For all ranks to start.</param>
public sealed record RankLimits(TimeSpan Silence, TimeSpan Start)
{
    private const string SilenceVariable = "SAFELLAMA_RANK_TIMEOUT";
    private const string StartVariable = "SAFELLAMA_RANK_START";

    /// <summary>8 and 60 seconds, or what <c>SAFELLAMA_RANK_TIMEOUT</c> and <c>SAFELLAMA_RANK_START</c> say.</summary>
    /// <exception cref="SafeLlamaException">A variable is no number of seconds.</exception>
    public static RankLimits Read() => new(Seconds(SilenceVariable, 8), Seconds(StartVariable, 60));

    private static TimeSpan Seconds(string name, double otherwise) =>
        Environment.GetEnvironmentVariable(name) is not { Length: > 0 } text ? TimeSpan.FromSeconds(otherwise)
        : double.TryParse(text, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 2 and <= 86400
            ? TimeSpan.FromSeconds(seconds)
            : throw SafeLlamaException.Usage($"{name}={text}: expected 2 to 86400 seconds.");
}
