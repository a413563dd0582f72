using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Training;

/// <summary>The rows that defenses read beside those of a run.</summary>
internal static class DefenseInputs
{
    /// <summary>Safety-recovery rows of pairs; none where that defense is not named.</summary>
    /// <param name="sources">Gets the files.</param>
    /// <param name="notes">Hears everything shortened, left out or passed over.</param>
    public static IReadOnlyList<TokenizedExample> Recovering(
        FineTuneRequest r, ITokenizer tokenizer, PromptTemplate? template, List<ManifestSource> sources,
        List<string> notes)
    {
        if (r.DefenseConfig()?.Recovery is not { } settings)
        {
            return [];
        }

        var files = PreferenceFile.ReadAll(r.Preferences);
        notes.AddRange(files.SelectMany(f => f.Notes.Concat(f.Lines())));
        var (pairs, report) = new PreferenceEncoder(
            tokenizer, Required(template), new(Limits(r), Unpaired: false)).EncodeAll([.. files.SelectMany(f => f.Rows)]);
        notes.AddRange(report.Lines());
        sources.AddRange(files.Select(f => new ManifestSource(
            f.Path, f.Sha256, "recovery", f.RowCount, f.Rows.Count, License: null)));
        var rows = Recovery.Rows([.. pairs.SelectMany(p => p)], settings, r.MaxLength, r.Seed);
        notes.Add($"{rows.Count} recovery rows, "
            + $"{rows.Count(row => !row.Id.EndsWith("after 0)", StringComparison.Ordinal))} of them after the "
            + "beginning of a harmful answer.");
        return rows;
    }

    /// <summary>Booster's harmful rows; none where that defense is not named.</summary>
    public static IReadOnlyList<TokenizedExample> Harmful(
        FineTuneRequest r, ITokenizer tokenizer, PromptTemplate? template, List<ManifestSource> sources,
        List<string> notes)
    {
        if (!r.Defends(Defense.Booster))
        {
            return [];
        }

        var files = ExampleFile.ReadAll(r.Harmful);
        notes.AddRange(files.SelectMany(f => f.Notes));
        sources.AddRange(files.Select(f => new ManifestSource(
            f.Path, f.Sha256, "harmful, not learned", f.RowCount, f.Examples.Count, License: null)));
        var (rows, report) = new ExampleEncoder(tokenizer, Required(template), Limits(r))
            .EncodeAll([.. files.SelectMany(f => f.Examples)]);
        notes.AddRange(report.Lines());
        notes.Add($"{rows.Count} harmful rows that Booster looks at and does not learn.");
        var refusals = files.SelectMany(f => f.Examples).Count(row => RefusalPhrases.OpensWithRefusal(row.Answer));
        if (refusals > 0)
        {
            notes.Add($"{refusals} of the {files.Sum(f => f.Examples.Count)} answers in the harmful rows open with a "
                + "refusal: Booster would keep the model from learning to refuse. Its rows are harmful requests with "
                + "answers that comply.");
        }

        return rows;
    }

    public static EncodingOptions Limits(FineTuneRequest r) => new()
    {
        MaxLength = r.MaxLength,
        TrainOnInputs = r.TrainOnInputs,
        Truncation = r.Truncation,
    };

    private static PromptTemplate Required(PromptTemplate? template) => template ?? throw SafeLlamaException.Usage(
        "`Defense`: running text has no answers to defend; give rows of instructions.");
}
