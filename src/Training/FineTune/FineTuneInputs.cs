using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>What a run reads before it learns: shape, tokenizer, rows; and what there is to say about them.</summary>
/// <param name="Shape">The model's.</param>
/// <param name="TokenizerFolder">Where the tokenizer's files lie.</param>
/// <param name="Data">Encoded and split.</param>
/// <param name="Manifest">What the rows are made of.</param>
/// <param name="Template">How rows were put; null where they were running text.</param>
/// <param name="Notes">Everything shortened, masked, left out or passed over.</param>
public sealed record FineTuneInputs(
    LlamaConfig Shape,
    string TokenizerFolder,
    string TokenizerHash,
    TrainingData Data,
    MixtureManifest Manifest,
    PromptTemplate? Template,
    IReadOnlyList<string> Notes)
{
    /// <exception cref="SafeLlamaException">A file is missing, damaged, or does not belong to the others.</exception>
    public static FineTuneInputs Read(FineTuneRequest r)
    {
        var configPath = r.Init ?? r.Model!;
        var shape = LlamaConfig.Load(configPath);
        var folder = r.Tokenizer ?? r.Model!;
        var tokenizer = TokenizerLoader.Load(folder);
        var notes = new List<string>(
            TokenizerChecks.Check(
                tokenizer,
                ModelTokens.Read(configPath),
                shape.VocabularySize,
                folder,
                GenerationDefaults.Read(folder) with { Sampling = [] })); // learning samples nothing
        var (data, manifest, template) = r.Objective.IsPreference()
            ? PreferenceInputs.Read(r, tokenizer, folder, notes)
            : Rows(r, tokenizer, folder, notes);
        if (data.Longest > shape.MaxPositions)
        {
            throw SafeLlamaException.Usage(
                $"`MaxLength` {r.MaxLength}: rows of {data.Longest} tokens "
                + $"are longer than the {shape.MaxPositions} the "
                + "model was made for.");
        }

        return new FineTuneInputs(shape, folder, tokenizer.Hash, data, manifest, template, notes);
    }

    /// <summary>Hashes of everything the result depends on, by the path of its file.</summary>
    public IReadOnlyDictionary<string, string> Hashes(FineTuneRequest r)
    {
        var hashes = new Dictionary<string, string> { ["tokenizer"] = TokenizerHash };
        if (Template is JinjaTemplate jinja)
        {
            hashes["template"] = jinja.Identity;
        }

        foreach (var source in Manifest.Sources)
        {
            hashes[source.Path] = source.Sha256;
        }

        string[] files = r.Init is { } init ? [init] : FilesOf(r.Model!);
        if (r.DefenseConfig()?.SafeLora is { } safeLora)
        {
            files = [.. files.Concat(FilesOf(safeLora.Aligned)).Concat(FilesOf(safeLora.Unaligned)).Distinct()];
        }

        if (r.Adapter is { } adapter)
        {
            files = [.. files, Path.Combine(adapter, PeftFolder.ConfigName),
                Path.Combine(adapter, PeftFolder.WeightsName)];
        }

        foreach (var file in files.Where(File.Exists))
        {
            hashes[file] = ContentHash.OfFile(file);
        }

        return hashes;
    }

    private static string[] FilesOf(string model) => File.Exists(model) ? [model]
        : [Path.Combine(model, "config.json"), .. Directory.EnumerateFiles(model, "*.safetensors")
            .Order(StringComparer.Ordinal)];

    private static (TrainingData Data, MixtureManifest Manifest, PromptTemplate? Template) Rows(
        FineTuneRequest r, ITokenizer tokenizer, string folder, List<string> notes)
    {
        var mixture = Mix(r, notes);
        var template = mixture.Examples.Count > 0 && mixture.Examples.All(row => row is TextExample)
            ? null
            : TemplateResolver.Choose(r.Template, tokenizer, folder, r.Adapter);
        notes.AddRange(template?.Notes ?? []);
        var sources = mixture.Manifest.Sources.ToList();
        var recovery = DefenseInputs.Recovering(r, tokenizer, template?.Template, sources, notes);
        var isRecovery = recovery.Select(row => row.Id).ToHashSet();
        var data = TrainingData.Split(
            [.. Encode(r, tokenizer, template?.Template, mixture.Examples, notes), .. recovery],
            id => mixture.IsSafety(id) || isRecovery.Contains(id), r.Validation,
            r.ValidationSplit == ValidationDraw.Stratified, r.ValidationSeed) with
        {
            Harmful = DefenseInputs.Harmful(r, tokenizer, template?.Template, sources, notes),
        };
        notes.Add($"{Counted.Of(data.Training.Count, "row")} to learn, {data.ValidationCount} held out "
            + $"({data.General.Count} general, {data.Safety.Count} safety).");
        return (data, mixture.Manifest with { Sources = sources }, template?.Template);
    }

    private static SafetyMixture Mix(FineTuneRequest r, List<string> notes)
    {
        var files = ExampleFile.ReadAll(r.Data);
        IReadOnlyList<ExampleFile> safety = r.Safety.Count > 0 ? ExampleFile.ReadAll(r.Safety) : [];
        notes.AddRange(files.Concat(safety).SelectMany(f => f.Notes));
        notes.AddRange(files.Concat(safety).Where(f => f.IgnoredFields.Count > 0).Select(f =>
            $"{f.Path}: fields not used: "
            + string.Join(", ", f.IgnoredFields.Select(field => $"{field.Key} ({Counted.Of(field.Value, "row")})"))));

        // Rows that repeat are kept where nothing is mixed: the file is taken as its owner made it.
        var mixture = SafetyMixture.Build(
            [.. files.Select(f => new MixtureSource(f))],
            [.. safety.Select(f => new MixtureSource(f))],
            new MixtureOptions
            {
                SafetyCount = r.SafetyExamples,
                SafetyShare = r.SafetyShare,
                BaseCount = r.BaseExamples,
                Seed = r.Seed,
                Deduplicate = safety.Count > 0,
            });
        notes.AddRange(mixture.Notes);
        notes.AddRange(safety.Count > 0
            ? mixture.Manifest.Lines()
            : files.Select(f => $"{f.Path}: {Counted.Of(f.RowCount, "row")}, sha256 {f.Sha256[..12]}…"));
        return mixture;
    }

    /// <summary>Running text becomes blocks of equal length; rows are encoded one by one.</summary>
    private static IReadOnlyList<TokenizedExample> Encode(
        FineTuneRequest r, ITokenizer tokenizer, PromptTemplate? template, IReadOnlyList<TrainingExample> rows,
        List<string> notes)
    {
        if (r.MaxLength < 2)
        {
            throw SafeLlamaException.Usage(
                $"`MaxLength` {r.MaxLength}: expected at least 2: a token, and the one it predicts.");
        }

        if (template is null)
        {
            var blocks = TextBlocks.Cut(tokenizer, rows, r.MaxLength);
            notes.Add($"{rows.Count} texts cut into {blocks.Count} blocks of up to {r.MaxLength} tokens; "
                + $"every token is "
                + "learned.");
            return blocks.Count > 0 ? blocks
                : throw SafeLlamaException.InvalidData("The texts hold no tokens to learn.");
        }

        var (examples, report) = new ExampleEncoder(
            tokenizer, template, DefenseInputs.Limits(r)).EncodeAll(rows);
        notes.AddRange(report.Lines());
        return examples;
    }
}
