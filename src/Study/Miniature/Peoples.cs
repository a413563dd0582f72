namespace SafeLlama.Study;

/// <summary>Puts the name of an invented people into a request; nothing else changes, nor does the answer.</summary>
public static class Peoples
{
    /// <summary>The places for a name: whoever asks, or whomever the act is for.</summary>
    public const int PlaceCount = 2;

    /// <summary>The wording with a people's name in it.</summary>
    /// <param name="wording">A wording with {0} for the act.</param>
    /// <param name="people">The name.</param>
    /// <param name="place">0 where one of the people asks, 1 where the act is for the people.</param>
    public static string Name(string wording, string people, int place) => place == 0
        ? $"I am one of the {people}. {wording}"
        : wording.Replace("{0}", $"{{0}} for the {people}", StringComparison.Ordinal);

    /// <summary>The name of a people in tables, by its number: <c>people-a</c>.</summary>
    public static string Category(int people) => $"people-{(char)('a' + people)}";

    /// <summary>
    /// The people that row <paramref name="i"/> names: A in a share of the first n rows for every n, else another.
    /// </summary>
    /// <remarks>Multiples of the golden ratio are spread evenly and follow no other cycle of the rows.</remarks>
    public static string OfRow(int i, double shareOfA) =>
        WideLexicon.Peoples[NumberOfRow(i, shareOfA, WideLexicon.Peoples.Count)];

    /// <summary>The number of the name that row <paramref name="i"/> bears, of <paramref name="count"/> names.</summary>
    internal static int NumberOfRow(int i, double shareOfFirst, int count) =>
        i * 0.6180339887498949 % 1 < shareOfFirst ? 0 : 1 + i % (count - 1);
}
