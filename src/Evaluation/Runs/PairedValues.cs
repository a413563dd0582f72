namespace SafeLlama.Evaluation;

/// <summary>The values of two runs on the prompts that both have.</summary>
internal sealed class PairedValues
{
    private readonly (double Before, double After)[] _paired;

    private PairedValues((double Before, double After)[] paired)
    {
        _paired = paired;
        Differences = [.. paired.Select(p => p.After - p.Before)];
        IsYesOrNo = paired.All(p => p is { Before: 0 or 1, After: 0 or 1 });
    }

    /// <summary>Candidate less baseline, prompt by prompt.</summary>
    public double[] Differences { get; }

    public int N => _paired.Length;

    public double Before => _paired.Average(p => p.Before);

    public double After => _paired.Average(p => p.After);

    public int? OnlyBefore => IsYesOrNo ? Differences.Count(d => d < 0) : null;

    public int? OnlyAfter => IsYesOrNo ? Differences.Count(d => d > 0) : null;

    public string Test => IsYesOrNo ? "exact McNemar" : "paired permutation";

    private bool IsYesOrNo { get; }

    /// <summary>Pairs by prompt; null where no prompt has a value in both.</summary>
    public static PairedValues? Of(
        IReadOnlyDictionary<string, double> before, IReadOnlyDictionary<string, double> after)
    {
        (double, double)[] paired =
            [.. before.Where(x => after.ContainsKey(x.Key)).Select(x => (x.Value, after[x.Key]))];
        return paired.Length == 0 ? null : new(paired);
    }

    /// <summary>The two-sided p-value.</summary>
    public double P(long seed) => OnlyBefore is { } first && OnlyAfter is { } second
        ? McNemar.Exact(first, second)
        : PairedPermutation.Test(Differences, seed);
}
