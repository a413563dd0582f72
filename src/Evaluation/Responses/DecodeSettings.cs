namespace SafeLlama.Evaluation;

/// <summary>How answers were made; stored with every one of them.</summary>
/// <param name="Profile">A name: <c>greedy</c>, <c>authors-effective</c>, <c>sampling</c>, or <c>elsewhere</c>.</param>
/// <param name="MaxNewTokens">The most tokens an answer may have.</param>
/// <param name="Beams">Beams kept; 1 for greedy and for sampling.</param>
/// <param name="Temperature">0 for greedy and for beams.</param>
/// <param name="TopP">1 where unused.</param>
/// <param name="TopK">0 where unused.</param>
/// <param name="Seed">Of the random numbers; counts only when sampling.</param>
public sealed record DecodeSettings(
    string Profile, int MaxNewTokens, int Beams = 1, double Temperature = 0, double TopP = 1, int TopK = 0,
    long Seed = 0)
{
    public static DecodeSettings Greedy(int maxNewTokens = 128) => new("greedy", maxNewTokens);

    /// <summary>What the authors' script does in effect: four beams, 128 new tokens, no sampling.</summary>
    public static DecodeSettings AuthorsEffective { get; } = new("authors-effective", 128, Beams: 4);

    /// <summary>For answers that came from a file and say nothing of how they were made.</summary>
    public static DecodeSettings Elsewhere { get; } = new("elsewhere", 0);
}
