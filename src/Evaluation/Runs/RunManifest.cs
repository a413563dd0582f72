using System.Text.Json;
using System.Text.Json.Serialization;
using SafeLlama.Common;
using SafeLlama.Inference;
using SafeLlama.Model;

namespace SafeLlama.Evaluation;

/// <summary>The inputs of a run, as <c>run.json</c> keeps them: equal manifests mean equal work.</summary>
/// <param name="Kind">Always <c>evaluation</c>; other runs have other kinds.</param>
/// <param name="Version">The program's version.</param>
/// <param name="Model">The responder's identity, or the hash of the file answers came from.</param>
/// <param name="Facts">Hashes that the caller adds, by name: weights, adapter, tokenizer, template.</param>
/// <param name="Settings">How answers were decoded.</param>
/// <param name="Samples">Answers per prompt.</param>
/// <param name="Seed">Seed of the statistics.</param>
/// <param name="Suites">The suites asked.</param>
public sealed record RunManifest(
    string Kind,
    string Version,
    string Model,
    IReadOnlyDictionary<string, string> Facts,
    DecodingConfig Settings,
    int Samples,
    long Seed,
    IReadOnlyList<RunManifest.SuiteEntry> Suites)
{
    /// <summary>The judges, with their hashes; further ones may be added later.</summary>
    public required IReadOnlyList<RunManifest.JudgeEntry> Judges { get; init; }

    /// <summary>What the user calls model and adapter, for lists of runs; absent for answers made elsewhere and in runs
    /// of earlier versions.</summary>
    public RunNames? Names { get; init; }

    /// <summary>How many answers the run has once it is finished; 0 where they were made elsewhere.</summary>
    [JsonIgnore]
    public long Asked => Names is null || Model.StartsWith("answers ", StringComparison.Ordinal)
        ? 0 : Samples * Suites.Sum(suite => (long)suite.Prompts);

    public const string FileName = "run.json";

    /// <summary>By this an evaluation that was begun is known.</summary>
    public static readonly RunSign Sign = new(FileName, "kind", "facts", "suites");

    public static string ProgramVersion { get; } = typeof(RunManifest).Assembly.GetName().Version?.ToString(3) ?? "0";

    /// <summary>A suite that was asked: its name, its file and the hash of that, and how many prompts.</summary>
    public sealed record SuiteEntry(string Name, string File, string Sha256, int Prompts);

    /// <summary>Names of folders, without the way to them. They decide nothing.</summary>
    /// <param name="Model">The model's folder or file.</param>
    public sealed record RunNames(string Model)
    {
        /// <summary>The adapter's folder, or that of its run; absent without an adapter.</summary>
        public string? Adapter { get; init; }

        public static RunNames Of(string model, string? adapter) => new(PeftFolder.NameOf(model))
        {
            Adapter = adapter is null ? null : PeftFolder.NameOf(adapter),
        };
    }

    /// <summary>A judge, under the hash of all that its verdicts depend on.</summary>
    public sealed record JudgeEntry(string Hash, JudgeIdentity Identity);

    public void Write(string folder) => OutputFile.WriteText(
        Path.Combine(folder, FileName), JsonSerializer.Serialize(this, EvaluationJson.Document) + "\n");

    /// <exception cref="SafeLlamaException">There is no manifest, or it is damaged.</exception>
    public static RunManifest Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            return JsonRecord.Parse<RunManifest>(
                File.ReadAllBytes(path), path, "is no manifest of an evaluation run", EvaluationJson.Line);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw SafeLlamaException.Usage(
                $"{path}: cannot be read; {folder} is no evaluation run: {FileErrors.Reason(e, path)}");
        }
    }

    /// <summary>Refuses to resume a run with other inputs; only judges may be added.</summary>
    /// <exception cref="SafeLlamaException">Something differs: the first difference is named.</exception>
    public RunManifest Continue(RunManifest begun, string folder)
    {
        var (before, now) = (Parts(begun), Parts(this));
        // What a model's hash is made of says more than the hash.
        foreach (var name in before.Keys.Union(now.Keys).OrderBy(name => name == ModelPart))
        {
            var (was, found) = (before.GetValueOrDefault(name, "not there"), now.GetValueOrDefault(name, "not there"));
            if (was != found)
            {
                throw SafeLlamaException.Usage(
                    $"`Resume` {folder}: {name} was {Short(was)} and is {Short(found)} now. "
                    + "Use the settings of the run, or another folder.");
            }
        }

        return this with { Judges = [.. begun.Judges.Concat(Judges).DistinctBy(j => j.Hash)] };
    }

    /// <summary>Everything that decides the answers, for ranks to compare.</summary>
    public IReadOnlyDictionary<string, string> WithoutJudges() => Parts(this);

    private const string ModelPart = "the model";

    /// <summary>Facts that are no hashes.</summary>
    private static readonly string[] Words = ["arithmetic", "load", "template"];

    /// <summary>Everything that decides the answers, by its name in messages.</summary>
    private static Dictionary<string, string> Parts(RunManifest m) => new(
    [
        KeyValuePair.Create("the version", m.Version),
        .. m.Facts.OrderBy(f => f.Key, StringComparer.Ordinal)
            .Select(f => KeyValuePair.Create((Words.Contains(f.Key) ? "the " : "the hash of ") + f.Key, f.Value)),
        KeyValuePair.Create(ModelPart, m.Model),
        KeyValuePair.Create("the decoding", JsonSerializer.Serialize(m.Settings, EvaluationJson.Line)),
        KeyValuePair.Create("the number of samples", m.Samples.ToString()),
        KeyValuePair.Create("the seed", m.Seed.ToString()),
        .. m.Suites.Select(s => KeyValuePair.Create(
            "the list of suites: " + s.Name, JsonSerializer.Serialize(s, EvaluationJson.Line))),
        KeyValuePair.Create("the list of suites", string.Join(", ", m.Suites.Select(s => s.Name))),
    ]);

    private static string Short(string text) => text.Length <= 200 ? text : text[..200] + "…";
}
