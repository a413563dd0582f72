using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>Examples set aside to measure the loss on, and those left to learn.</summary>
/// <param name="Training">Examples to learn, in the order given.</param>
/// <param name="Validation">
/// Examples set aside, by stratum: <c>mixture</c>, or <c>general</c> and <c>safety</c> apart.
/// </param>
public sealed record ValidationSplit(
    IReadOnlyList<TokenizedExample> Training,
    IReadOnlyDictionary<string, IReadOnlyList<TokenizedExample>> Validation)
{
    public const string Mixture = "mixture";
    public const string General = "general";
    public const string Safety = "safety";

    /// <summary>Draws a validation set by seed.</summary>
    /// <param name="examples">All examples.</param>
    /// <param name="size">Examples to set aside; 0 sets none aside.</param>
    /// <param name="seed">Seeds the draw.</param>
    /// <param name="isSafety">
    /// Tells safety rows by id (<see cref="SafetyMixture.IsSafety"/>): each stratum is then drawn in its proportion, at
    /// least one of each, and kept apart. Null draws from the mixture as a whole (the authors' way).
    /// </param>
    /// <exception cref="SafeLlamaException">Nothing would be left to learn, in all or in one stratum.</exception>
    public static ValidationSplit Draw(
        IReadOnlyList<TokenizedExample> examples, int size, long seed, Func<string, bool>? isSafety = null)
    {
        if (size < 0 || size >= examples.Count && size > 0)
        {
            throw SafeLlamaException.Usage(
                $"`Validation` {size}: expected 0 to {examples.Count - 1}, for there are {examples.Count} rows and "
                + "some must be left to learn.");
        }

        var strata = new SortedDictionary<string, List<int>>(StringComparer.Ordinal);
        for (var i = 0; i < examples.Count; i++)
        {
            var name = isSafety is null ? Mixture : isSafety(examples[i].Id) ? Safety : General;
            strata.TryAdd(name, []);
            strata[name].Add(i);
        }

        var aside = new HashSet<int>();
        var validation = new SortedDictionary<string, IReadOnlyList<TokenizedExample>>(StringComparer.Ordinal);
        foreach (var (name, places) in size == 0 ? [] : strata)
        {
            var share = Share(name, places.Count, strata, size, examples.Count);
            var drawn = Philox.Stream(seed, $"validation.{name}").Permutation(places.Count)
                .Take(share).Select(place => places[place]).Order().ToList();
            aside.UnionWith(drawn);
            validation[name] = [.. drawn.Select(place => examples[place])];
        }

        return new ValidationSplit([.. examples.Where((_, place) => !aside.Contains(place))], validation);
    }

    /// <summary>The stratum's part of the validation set; the general rows take what the safety rows leave.</summary>
    private static int Share(
        string name, int count, SortedDictionary<string, List<int>> strata, int size, int total)
    {
        if (strata.Count == 1)
        {
            return size;
        }

        var safety = Math.Max(1, (int)Math.Round((double)size * strata[Safety].Count / total));
        var share = name == Safety ? safety : size - safety;
        return share > 0 && share < count
            ? share
            : throw SafeLlamaException.Usage(
                $"`Validation` {size}: {share} of {count} {name} rows would be set aside; expected at least one, and "
                + "one left to learn. Choose another size.");
    }
}
