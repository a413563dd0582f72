using System.Text.RegularExpressions;
using SafeLlama.Common;

namespace SafeLlama.Model;

/// <summary>
/// Which linears an adapter stands beside, and how, in the terms of PEFT's <c>adapter_config.json</c>.
/// </summary>
public sealed record LoraConfig
{
    /// <summary>A <see cref="TargetPattern"/> for the linears of an encoder's layers, its head left out.</summary>
    public const string EncoderLinears = @"deberta\.encoder\.layer\.\d+\..*(?:_proj|dense)";

    /// <summary>r: the rank of the update.</summary>
    public int Rank { get; init; } = 8;

    /// <summary>α: the update is scaled by α / r, or by α / √r for rsLoRA.</summary>
    public double Alpha { get; init; } = 16;

    /// <summary>The share of the branch's input that training drops, in [0, 1).</summary>
    public double Dropout { get; init; }

    /// <summary>Names of linears, matched as PEFT does: the whole path or its end.</summary>
    public IReadOnlyList<string> Targets { get; init; } = ["q_proj", "v_proj"];

    /// <summary>A regular expression over whole paths, instead of <see cref="Targets"/>.</summary>
    public string? TargetPattern { get; init; }

    /// <summary>Only these layers; all where empty.</summary>
    public IReadOnlyList<int> Layers { get; init; } = [];

    /// <summary>Other ranks for paths that end in a match of the key.</summary>
    public IReadOnlyDictionary<string, int> RankPattern { get; init; } = new Dictionary<string, int>();

    /// <summary>Other alphas for paths that end in a match of the key.</summary>
    public IReadOnlyDictionary<string, double> AlphaPattern { get; init; } = new Dictionary<string, double>();

    /// <summary>Kalajdzievski 2023, arXiv:2312.03732: α / √r keeps large ranks learning.</summary>
    public bool RankStabilized { get; init; }

    /// <summary>How the update begins and what it learns.</summary>
    public LoraVariant Variant { get; init; }

    /// <summary>What <c>--targets</c> may hold.</summary>
    public static IReadOnlyList<string> ParseTargets(string text)
    {
        var names = text == "all"
            ? LlamaShapes.LinearNames
            : text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var unknown = names.Where(n => !LlamaShapes.LinearNames.Contains(n)).ToList();
        return names.Count == 0 || unknown.Count > 0
            ? throw SafeLlamaException.Usage(
                $"`Targets` {text}: '{string.Join(", ", unknown)}' is unknown, expected 'all' or some of "
                + $"{string.Join(",", LlamaShapes.LinearNames)}.")
            : [.. LlamaShapes.LinearNames.Where(names.Contains)];
    }

    public bool Matches(string module, int layer, string linear)
    {
        if (Layers.Count > 0 && !Layers.Contains(layer))
        {
            return false;
        }

        return TargetPattern is { } pattern
            ? pattern == "all-linear" || IsMatch(module, $"^(?:{pattern})$")
            : Targets.Any(t => module == t || module.EndsWith("." + t, StringComparison.Ordinal));
    }

    public int RankOf(string module) => Pattern(RankPattern, module, Rank);

    /// <summary>s of one linear.</summary>
    public double ScaleOf(string module)
    {
        var (rank, alpha) = (RankOf(module), Pattern(AlphaPattern, module, Alpha));
        return RankStabilized ? alpha / Math.Sqrt(rank) : alpha / rank;
    }

    /// <exception cref="SafeLlamaException">A value is out of range.</exception>
    public void Validate()
    {
        if (Rank <= 0 || RankPattern.Values.Any(r => r <= 0))
        {
            throw SafeLlamaException.Usage($"`Rank` {Rank}: expected at least 1.");
        }

        if (!(Alpha > 0))
        {
            throw SafeLlamaException.Usage(
                $"`Alpha` {Alpha}: expected a positive number; 0 would switch the adapter off.");
        }

        if (!(Dropout >= 0 && Dropout < 1))
        {
            throw SafeLlamaException.Usage($"`Dropout` {Dropout}: expected a share in [0, 1).");
        }

        if (Variant == LoraVariant.Pissa && Dropout > 0)
        {
            throw SafeLlamaException.Usage(
                $"`Dropout` {Dropout}: expected 0 with PiSSA, whose A and B hold a part of the base.");
        }
    }

    /// <summary>The keys of <see cref="RankPattern"/> and <see cref="AlphaPattern"/> that match no module.</summary>
    public IEnumerable<string> PatternsWithout(IReadOnlyCollection<string> modules) =>
        RankPattern.Keys.Union(AlphaPattern.Keys).Where(key => !modules.Any(module => MatchesEnd(module, key)));

    private static T Pattern<T>(IReadOnlyDictionary<string, T> patterns, string module, T otherwise)
    {
        foreach (var (key, value) in patterns)
        {
            if (MatchesEnd(module, key))
            {
                return value;
            }
        }

        return otherwise;
    }

    private static bool MatchesEnd(string module, string key) => IsMatch(module, $@"^(.*\.)?(?:{key})$");

    /// <summary>The expression comes from an adapter's file: it may be none, or one that takes forever.</summary>
    private static bool IsMatch(string module, string pattern)
    {
        try
        {
            return Regex.IsMatch(module, pattern, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
        }
        catch (Exception e) when (e is RegexParseException or RegexMatchTimeoutException)
        {
            var fault = e is RegexParseException ? "it is no regular expression" : "that takes longer than a second";
            throw SafeLlamaException.InvalidData(
                $"The adapter's pattern {pattern} cannot be matched against '{module}': {fault}. "
                + "Name the modules in \"target_modules\" instead.",
                e);
        }
    }
}
