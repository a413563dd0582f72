using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Training;

/// <summary>Files of preferences to what a run learns from.</summary>
internal static class PreferenceInputs
{
    /// <param name="notes">Hears everything shortened, left out or passed over.</param>
    /// <exception cref="SafeLlamaException">A file is missing or damaged, or nothing is left to learn.</exception>
    public static (TrainingData Data, MixtureManifest Manifest, PromptTemplate Template) Read(
        FineTuneRequest r, ITokenizer tokenizer, string folder, List<string> notes)
    {
        var files = PreferenceFile.ReadAll(r.Preferences);
        notes.AddRange(files.SelectMany(f => f.Notes.Concat(f.Lines())));
        PreferenceRow[] rows = [.. files.SelectMany(f => f.Rows)];
        if (rows.Length == 0)
        {
            throw SafeLlamaException.InvalidData(
                $"No preference is left to learn: {string.Join(" ", files.SelectMany(f => f.Lines()))}");
        }

        var template = TemplateResolver.Choose(r.Template, tokenizer, folder, r.Adapter);
        notes.AddRange(template.Notes);
        var limits = new EncodingOptions
        {
            MaxLength = r.MaxLength,
            TrainOnInputs = r.TrainOnInputs,
            Truncation = r.Truncation,
        };
        var unpaired = r.Objective == Objective.Kto;
        var (examples, report) =
            new PreferenceEncoder(tokenizer, template.Template, new(limits, unpaired)).EncodeAll(rows);
        notes.AddRange(report.Lines());
        var data = Split(r, examples);
        if (unpaired && r.ReferencePoint is null)
        {
            data = Mismatched(data, r.MaxLength);
        }

        notes.Add(data.Training.Count(e => e is PreferenceExample { Kind: PreferenceKind.Pair }) is var pairs and > 0
            ? $"{Counted.Of(pairs, "pair")} to learn, {data.ValidationCount} held out."
            : $"{Count(data, PreferenceKind.Desirable)} wanted and {Count(data, PreferenceKind.Undesirable)} unwanted "
                + $"answers to learn, {data.ValidationCount} held out.");
        if (unpaired && OneSided(data) is { } warning)
        {
            notes.Add(warning);
        }

        return (data, Manifest(r, files, rows), template.Template);
    }

    private static string? OneSided(TrainingData data) =>
        data.Training.Any(e => ((PreferenceExample)e).Kind == PreferenceKind.Pair) ? null
        : Count(data, PreferenceKind.Undesirable) == 0
            ? "Warning: every answer is wanted: nothing tells the model what not to say."
        : Count(data, PreferenceKind.Desirable) == 0
            ? "Warning: no answer is wanted: the model learns what not to say, and nothing that it could say instead."
        : null;

    private static int Count(TrainingData data, PreferenceKind kind) =>
        data.Training.Count(e => ((PreferenceExample)e).Kind == kind);

    /// <summary>Rows are held out whole: both answers to a prompt are learned, or neither.</summary>
    private static TrainingData Split(FineTuneRequest r, IReadOnlyList<IReadOnlyList<PreferenceExample>> rows)
    {
        var rowOf = new Dictionary<TokenizedExample, IReadOnlyList<PreferenceExample>>(
            rows.Select(row => KeyValuePair.Create((TokenizedExample)row[0], row)), ReferenceEqualityComparer.Instance);
        var split = TrainingData.Split(
            [.. rows.Select(row => row[0])], _ => false, r.Validation, stratified: false, r.ValidationSeed);
        TokenizedExample[] Whole(IReadOnlyList<TokenizedExample> first) => [.. first.SelectMany(e => rowOf[e])];
        return new(Whole(split.Training), Whole(split.General), []);
    }

    /// <summary>Held-out rows that all have one prompt take answers from the rows to learn.</summary>
    private static TrainingData Mismatched(TrainingData data, int maxLength)
    {
        PreferenceExample[] learned = [.. data.Training.Cast<PreferenceExample>()];
        PreferenceExample[] heldOut = [.. data.General.Cast<PreferenceExample>()];
        var (training, general) = (
            PreferenceEncoder.WithMismatched(learned, maxLength), PreferenceEncoder.WithMismatched(heldOut, maxLength));
        if (general.All(row => row.Mismatched is null))
        {
            general = [.. PreferenceEncoder.WithMismatched([.. heldOut, .. learned], maxLength).Take(heldOut.Length)];
        }

        return training.All(row => row.Mismatched is null)
            || (general.Count > 0 && general.All(row => row.Mismatched is null))
            ? throw PreferenceObjective.NoOtherPrompt() : new(training, general, []);
    }

    private static MixtureManifest Manifest(
        FineTuneRequest r, IReadOnlyList<PreferenceFile> files, PreferenceRow[] rows) => new()
        {
            Seed = r.Seed,
            Nested = false,
            BaseCount = rows.Length,
            SafetyCount = 0,
            SafetyShare = 0,
            RefusalShare = 0,
            Sources = [.. files.Select(f => new ManifestSource(
            f.Path, f.Sha256, "preferences", f.RowCount, f.Rows.Count, License: null))],
            Duplicates = [],
            SafetyIds = [],
            RowIds = [.. rows.Select(row => row.Id)],
        };
}
