using SafeLlama.Cli.Settings;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Model;
using SafeLlama.Training;

namespace SafeLlama.Cli.Training;

/// <summary>What a run reads before it learns: shape, tokenizer, rows; and what there is to say about them.</summary>
/// <param name="Shape">The model's.</param>
/// <param name="TokenizerFolder">Where the tokenizer's files lie.</param>
/// <param name="Data">Encoded and split.</param>
/// <param name="Manifest">What the rows are made of.</param>
/// <param name="Notes">Everything shortened, masked, left out or passed over.</param>
internal sealed record TrainInputs(
    LlamaConfig Shape,
    string TokenizerFolder,
    string TokenizerHash,
    TrainingData Data,
    MixtureManifest Manifest,
    IReadOnlyList<string> Notes)
{
    /// <exception cref="SafeLlamaException">A file is missing, damaged, or does not belong to the others.</exception>
    public static TrainInputs Read(SettingTable s)
    {
        var configPath = s.Find(TrainSettings.Init) ?? s.Find(TrainSettings.Model)!;
        var shape = LlamaConfig.Load(configPath);
        var folder = s.Find(TrainSettings.Tokenizer) ?? s.Find(TrainSettings.Model)!;
        var tokenizer = TokenizerLoader.Load(folder);
        var notes = new List<string>(
            TokenizerChecks.Check(tokenizer, ModelTokens.Read(configPath), shape.VocabularySize, folder));
        var mixture = Mix(s, notes);
        var examples = Encode(s, tokenizer, mixture.Examples, notes);
        var data = TrainingData.Split(
            examples,
            mixture.IsSafety,
            s.Get(TrainSettings.Validation),
            s.Get(TrainSettings.Stratified),
            s.Get(TrainSettings.ValidationSeed));
        notes.Add($"{data.Training.Count} rows to learn, {data.ValidationCount} held out "
            + $"({data.General.Count} general, {data.Safety.Count} safety).");
        if (data.Longest > shape.MaxPositions)
        {
            throw SafeLlamaException.Usage(
                $"--max-length {s.Get(TrainSettings.MaxLength)}: rows of {data.Longest} tokens are longer than "
                + $"the {shape.MaxPositions} the model was made for.");
        }

        return new TrainInputs(shape, folder, tokenizer.Hash, data, mixture.Manifest, notes);
    }

    private static SafetyMixture Mix(SettingTable s, List<string> notes)
    {
        var files = ExampleFile.ReadAll(s.Get(TrainSettings.Data));
        IReadOnlyList<ExampleFile> safety = s.Has(TrainSettings.Safety)
            ? ExampleFile.ReadAll(s.Get(TrainSettings.Safety)) : [];
        notes.AddRange(files.Concat(safety).SelectMany(f => f.Notes));
        notes.AddRange(files.Concat(safety).Where(f => f.IgnoredFields.Count > 0).Select(f =>
            $"{f.Path}: fields not used: "
            + string.Join(", ", f.IgnoredFields.Select(field => $"{field.Key} ({field.Value} rows)"))));

        // Rows that repeat are kept where nothing is mixed: the file is taken as its owner made it.
        var mixture = SafetyMixture.Build(
            [.. files.Select(f => new MixtureSource(f))],
            [.. safety.Select(f => new MixtureSource(f))],
            new MixtureOptions
            {
                SafetyCount = s.Find(TrainSettings.SafetyExamples)
                    ?? (s.Has(TrainSettings.SafetyShare) ? (int?)null : 0),
                SafetyShare = s.Find(TrainSettings.SafetyShare),
                BaseCount = s.Find(TrainSettings.BaseExamples),
                Seed = s.Get(TrainSettings.Seed),
                Deduplicate = safety.Count > 0,
            });
        notes.AddRange(safety.Count > 0
            ? mixture.Manifest.Lines()
            : files.Select(f => $"{f.Path}: {f.RowCount} rows, sha256 {f.Sha256[..12]}…"));
        return mixture;
    }

    /// <summary>Running text becomes blocks of equal length; rows are encoded one by one.</summary>
    private static IReadOnlyList<TokenizedExample> Encode(
        SettingTable s, ITokenizer tokenizer, IReadOnlyList<TrainingExample> rows, List<string> notes)
    {
        var length = s.Get(TrainSettings.MaxLength);
        if (length < 2)
        {
            throw SafeLlamaException.Usage(
                $"--max-length {length}: expected at least 2: a token, and the one it predicts.");
        }

        if (rows.Count > 0 && rows.All(r => r is TextExample))
        {
            var blocks = TextBlocks.Cut(tokenizer, rows, length);
            notes.Add(
                $"{rows.Count} texts cut into {blocks.Count} blocks of up to {length} tokens; every token is learned.");
            return blocks.Count > 0 ? blocks
                : throw SafeLlamaException.InvalidData("The texts hold no tokens to learn.");
        }

        var (examples, report) = new ExampleEncoder(
            tokenizer, PromptTemplate.Load(s.Get(TrainSettings.Template)), new EncodingOptions
            {
                MaxLength = length,
                TrainOnInputs = s.Get(TrainSettings.TrainOnInputs),
                Truncation = s.Get(TrainSettings.TruncationRule),
            }).EncodeAll(rows);
        notes.AddRange(report.Lines());
        return examples;
    }
}
