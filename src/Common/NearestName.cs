namespace SafeLlama.Common;

/// <summary>The name that was meant by one that is not known.</summary>
public static class NearestName
{
    /// <summary>More letters than this make another name of it.</summary>
    private const int MostDifferent = 3;

    /// <summary>
    /// <c>; did you mean 'rank'?</c> for a name of which few letters differ from a known one; else a full stop.
    /// </summary>
    public static string Hint(string name, IEnumerable<string> known) =>
        Of(name, known) is { } meant ? $"; did you mean '{meant}'?" : ".";

    /// <summary>The known name that differs least, where that is little and at most half of it.</summary>
    public static string? Of(string name, IEnumerable<string> known)
    {
        var nearest = known.Select(k => (Name: k, Distance: Distance(name, k))).MinBy(k => k.Distance);
        return nearest.Name is not null && nearest.Distance <= MostDifferent
            && 2 * nearest.Distance <= Math.Max(name.Length, nearest.Name.Length) ? nearest.Name : null;
    }

    /// <summary>Levenshtein's distance.</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                (diagonal, row[j]) = (
                    row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
            }
        }

        return row[b.Length];
    }
}
