using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>Base rows and safety demonstrations in one seeded order, with a manifest of their origin.</summary>
/// <remarks>
/// The safety rows stand in one seeded permutation and a mixture takes its first Ns, so a mixture of 500 holds the one
/// of 100, and a comparison over Ns changes nothing else.
/// </remarks>
/// <param name="Examples">The mixture.</param>
/// <param name="Manifest">The manifest of the mixture.</param>
public sealed record SafetyMixture(IReadOnlyList<TrainingExample> Examples, MixtureManifest Manifest)
{
    private readonly HashSet<string> _safety = [.. Manifest.SafetyIds];

    /// <summary>Remarks beside the manifest, one line each: files that shared ids.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>True for a safety demonstration, false for a base row.</summary>
    public bool IsSafety(string rowId) => _safety.Contains(rowId);

    /// <summary>Mixes files.</summary>
    /// <exception cref="SafeLlamaException">
    /// More rows are wanted than there are, two rows bear one id, or <paramref name="options"/> contradict themselves.
    /// </exception>
    public static SafetyMixture Build(
        IReadOnlyList<MixtureSource> baseFiles, IReadOnlyList<MixtureSource> safetyFiles, MixtureOptions options)
    {
        (baseFiles, safetyFiles, var renamed) = RowIds.Distinct(baseFiles, safetyFiles);
        var baseRows = Rows(baseFiles);
        var safetyRows = Rows(safetyFiles);
        CheckIds(baseRows.Concat(safetyRows));

        var duplicates = new List<Duplicate>();
        if (options.Deduplicate)
        {
            var seen = new Dictionary<string, TrainingExample>(StringComparer.Ordinal);
            (baseRows, var inBase) = Duplicates.Split(baseRows, seen);
            (safetyRows, var inSafety) = Duplicates.Split(safetyRows, seen);
            duplicates.AddRange([.. inBase, .. inSafety]);
        }

        var baseCount = options.BaseCount ?? baseRows.Count;
        var safetyCount = options.SafetyCountFor(baseCount, safetyRows.Count);
        var drawnBase = Draw(baseRows, baseCount, "base", "mixture.base", options);
        var drawnSafety = Draw(safetyRows, safetyCount, "safety", "mixture.safety", options);
        IReadOnlyList<TrainingExample> together = [.. drawnBase, .. drawnSafety];
        var order = Philox.Stream(options.Seed, "mixture.order").Permutation(together.Count);
        var mixed = Array.ConvertAll(order, place => together[place]);

        var manifest = new MixtureManifest
        {
            Seed = options.Seed,
            Nested = options.Nested,
            BaseCount = drawnBase.Count,
            SafetyCount = drawnSafety.Count,
            SafetyShare = mixed.Length == 0 ? 0 : (double)drawnSafety.Count / mixed.Length,
            RefusalShare = drawnSafety.Count == 0
                ? 0
                : (double)drawnSafety.Count(row => RefusalPhrases.OpensWithRefusal(row.Answer)) / drawnSafety.Count,
            Sources = [.. Sources(baseFiles, "base", drawnBase), .. Sources(safetyFiles, "safety", drawnSafety)],
            Duplicates = duplicates,
            SafetyIds = [.. drawnSafety.Select(row => row.Id)],
            RowIds = [.. mixed.Select(row => row.Id)],
        };
        return new SafetyMixture(mixed, manifest) { Notes = renamed };
    }

    /// <summary>Mixes rows that are already in memory: all of the base, and the first so many safety rows.</summary>
    /// <exception cref="SafeLlamaException">More safety rows are wanted than there are.</exception>
    public static SafetyMixture Build(
        IReadOnlyList<TrainingExample> instructions, IReadOnlyList<TrainingExample> safety, int safetyCount,
        long seed) =>
        Build(
            [new MixtureSource(InMemory("(base)", instructions))],
            [new MixtureSource(InMemory("(safety)", safety))],
            new MixtureOptions { SafetyCount = safetyCount, Seed = seed });

    /// <summary>Writes the rows as JSONL, and the manifest beside them as <c>name.manifest.json</c>.</summary>
    /// <returns>The manifest's path.</returns>
    /// <exception cref="SafeLlamaException">A file exists already or cannot be written.</exception>
    public string Write(string path)
    {
        var manifest = Path.ChangeExtension(path, ".manifest.json");
        if (File.Exists(manifest))
        {
            throw SafeLlamaException.Usage($"{manifest}: exists, and nothing is overwritten.", "name another `Out`");
        }

        ExampleWriter.Write(path, Examples);
        Manifest.Write(manifest);
        return manifest;
    }

    private static IReadOnlyList<TrainingExample> Rows(IReadOnlyList<MixtureSource> sources) =>
        [.. sources.SelectMany(source => source.File.Examples)];

    private static void CheckIds(IEnumerable<TrainingExample> rows)
    {
        var seen = new Dictionary<string, RowSource>(StringComparer.Ordinal);
        foreach (var row in rows)
        {
            if (!seen.TryAdd(row.Id, row.Source))
            {
                throw SafeLlamaException.InvalidData(
                    $"{row.Source}: id: \"{row.Id}\" already names {seen[row.Id]}; rows of one mixture need ids of "
                    + "their own. Give rows an \"id\", or rename a file.");
            }
        }
    }

    private static List<TrainingExample> Draw(
        IReadOnlyList<TrainingExample> rows, int count, string role, string stream, MixtureOptions options)
    {
        if (count < 0 || count > rows.Count)
        {
            throw SafeLlamaException.Usage(
                $"{count} {role} rows are wanted, but there are {rows.Count}"
                + (options.Deduplicate ? " distinct ones" : "") + $"; ask for fewer, or add {role} rows.");
        }

        var random = Philox.Stream(options.Seed, stream, options.Nested ? 0 : count);
        return [.. random.Permutation(rows.Count).Take(count).Select(place => rows[place])];
    }

    private static IEnumerable<ManifestSource> Sources(
        IReadOnlyList<MixtureSource> sources, string role, IReadOnlyList<TrainingExample> drawn)
    {
        var used = drawn.Select(row => row.Id).ToHashSet(StringComparer.Ordinal);
        return sources.Select(source => new ManifestSource(
            source.File.Path,
            source.File.Sha256,
            role,
            source.File.RowCount,
            source.File.Examples.Count(row => used.Contains(row.Id)),
            source.License));
    }

    private static ExampleFile InMemory(string name, IReadOnlyList<TrainingExample> rows) =>
        new(name, RowFormat.JsonLines, "", rows.Count, rows, [], new Dictionary<string, int>(), []);
}
