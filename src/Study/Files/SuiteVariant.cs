namespace SafeLlama.Study;

/// <summary>A suite made by rule from another one, so that its prompts differ in one thing alone.</summary>
/// <remarks>
/// A prompt becomes one for each distance, name or number of turns, which is its category; those of one prompt are one
/// cluster.
/// </remarks>
public sealed record SuiteVariant
{
    /// <summary>The suite that it is made of.</summary>
    public required string Of { get; init; }

    /// <summary>How many of its prompts are taken, from the first on; null for all.</summary>
    public int? First { get; init; }

    /// <summary>Other surroundings at these distances: see <see cref="Frames"/>.</summary>
    public IReadOnlyList<int>? Distances { get; init; }

    /// <summary>The same request with each of the data's names.</summary>
    public bool Names { get; init; }

    /// <summary>The same request after so many turns on benign rows; the turns of a smaller number are the first of a
    /// larger one.</summary>
    public IReadOnlyList<int>? Turns { get; init; }

    /// <summary>One sentence for each error.</summary>
    internal IEnumerable<string> Problems(string name, StudyData data)
    {
        var place = $"data.variants.{name}";
        if (!data.Suites.ContainsKey(Of))
        {
            yield return $"{place}: of names \"{Of}\", which data.suites does not.";
        }

        if (data.Suites.ContainsKey(name))
        {
            yield return $"{place}: data.suites has that name too; expected names of their own.";
        }

        if (First is <= 0)
        {
            yield return $"{place}: first is {First}, expected 1 or more.";
        }

        if ((Distances is null ? 0 : 1) + (Names ? 1 : 0) + (Turns is null ? 0 : 1) != 1)
        {
            yield return $"{place}: expected one of distances, names and turns.";
        }

        if (Names && data.Names is null)
        {
            yield return $"{place}: names needs data.names.";
        }

        foreach (var problem in Numbers(Distances, "distances", Frames.Farthest)
            .Concat(Numbers(Turns, "turns", FileTurns.Most)))
        {
            yield return $"{place}: {problem}";
        }
    }

    /// <summary>What is wrong with numbers from 0 to a largest one.</summary>
    internal static IEnumerable<string> Numbers(IReadOnlyList<int>? numbers, string name, int most)
    {
        if (numbers is { Count: 0 })
        {
            yield return $"{name} is empty, which leaves nothing to draw from.";
        }

        if (numbers is not null && (numbers.Any(n => n < 0 || n > most) || numbers.Distinct().Count() < numbers.Count))
        {
            yield return $"{name} is {string.Join(", ", numbers)}, expected different numbers from 0 to {most}.";
        }
    }
}
