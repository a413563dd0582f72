namespace SafeLlama.Study;

/// <summary>Names that stand in requests in turn, so that prompts differ in the name alone.</summary>
public sealed record StudyNames
{
    /// <summary>Where a name stands in <see cref="Sentence"/>.</summary>
    internal const string Place = "{name}";

    /// <summary>The sentence that brings a name, put before the request.</summary>
    public string Sentence { get; init; } = $"My name is {Place}.";

    /// <summary>The names. The first is the one that <see cref="SafetyRows.PeopleA"/> is about.</summary>
    public IReadOnlyList<string> Values { get; init; } = [];

    /// <summary>The category of a name's prompts, by its number: <c>name-a</c>.</summary>
    internal static string Category(int name) => $"name-{(char)('a' + name)}";

    /// <summary>The request with a name.</summary>
    internal string Put(string request, string name) =>
        Sentence.Replace(Place, name, StringComparison.Ordinal) + " " + request;

    /// <summary>The name of row <paramref name="i"/>: the first one in a share of the first n rows for every n, else
    /// one of the others in turn.</summary>
    internal string OfRow(int i, double shareOfFirst) =>
        Values[Peoples.NumberOfRow(i, shareOfFirst, Values.Count)];

    /// <summary>One sentence for each error.</summary>
    internal IEnumerable<string> Problems()
    {
        if (!Sentence.Contains(Place, StringComparison.Ordinal))
        {
            yield return $"data.names.sentence is \"{Sentence}\", expected a sentence with {Place} in it.";
        }

        if (Values.Distinct(StringComparer.Ordinal).Count() < Math.Max(2, Values.Count) || Values.Count > 26
            || Values.Any(string.IsNullOrWhiteSpace))
        {
            yield return "data.names.values: expected 2 to 26 different names, none blank.";
        }
    }
}
