using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>Ids that name one row among several files.</summary>
internal static class RowIds
{
    /// <summary>
    /// The files with ids of their own: where two files share an id, all rows of both get the file's name before
    /// theirs, and a number where the names are equal too.
    /// </summary>
    /// <returns>The sources in their order, and a line for each file whose rows were renamed.</returns>
    /// <exception cref="SafeLlamaException">One file is given twice.</exception>
    public static (MixtureSource[] Base, MixtureSource[] Safety, IReadOnlyList<string> Notes) Distinct(
        IReadOnlyList<MixtureSource> baseFiles, IReadOnlyList<MixtureSource> safetyFiles)
    {
        MixtureSource[] sources = [.. baseFiles, .. safetyFiles];
        if (sources.Where(source => source.File.Sha256.Length > 0) // rows in memory have no hash
            .GroupBy(source => Path.GetFullPath(source.File.Path)).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw SafeLlamaException.Usage(
                $"{twice.First().File.Path}: is given twice, and its rows would count twice. Name each file once.");
        }

        var owners = sources.SelectMany((source, i) => source.File.Examples.Select(row => (row.Id, Owner: i)))
            .ToLookup(row => row.Id, row => row.Owner, StringComparer.Ordinal);
        var shared = owners.Select(group => group.Distinct().ToList()).Where(group => group.Count > 1)
            .SelectMany(group => group).ToHashSet();
        var notes = new List<string>();
        var names = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < sources.Length; i++)
        {
            if (shared.Contains(i))
            {
                var name = Path.GetFileName(sources[i].File.Path);
                var number = names[name] = names.GetValueOrDefault(name) + 1;
                name = number == 1 ? name : $"{name}({number})";
                notes.Add(
                    $"{sources[i].File.Path}: another file uses the same ids, so its rows are called {name}/ID here.");
                sources[i] = Renamed(sources[i], name);
            }
        }

        return (sources[..baseFiles.Count], sources[baseFiles.Count..], notes);
    }

    private static MixtureSource Renamed(MixtureSource source, string name) => source with
    {
        File = source.File with
        {
            Examples = [.. source.File.Examples.Select(row => row with { Id = $"{name}/{row.Id}" })],
        },
    };
}
