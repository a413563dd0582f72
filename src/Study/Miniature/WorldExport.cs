using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Study;

/// <summary>Writes the world as the ordinary files that the rest of the product reads.</summary>
/// <remarks>
/// <code>
/// world.json                      dials, seeds, counts, hashes
/// template.json                   the prompt's form, as alpaca-lora writes templates
/// pretraining.txt                 texts, parted by blank lines
/// tuning/benign.jsonl             Alpaca rows (instruction, input, output) with id, format and category
/// tuning/safety-*.jsonl           the same demonstrations as instructions, as questions, and half and half
/// suites/{development,test}/*.jsonl   prompts with id, category, format, label, expected answer and twin
/// </code>
/// </remarks>
public static class WorldExport
{
    /// <summary>One record a line, text left readable.</summary>
    private static readonly JsonSerializerOptions Line =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly JsonSerializerOptions Document = new(Line) { WriteIndented = true, NewLine = "\n" };

    /// <summary>The prompt's form: Alpaca's headers on one line and without their marks, so that every word is one
    /// token.</summary>
    public static AlpacaTemplate Template { get; } = AlpacaTemplate.Create(
        "miniature",
        "Alpaca's headers on one line and without marks, for the world in miniature.",
        "Instruction: {instruction} Input: {input} Response: ",
        "Instruction: {instruction} Response: ",
        "Response:");

    /// <summary>The template as alpaca-lora's JSON.</summary>
    public static string TemplateJson { get; } = new JsonObject
    {
        ["description"] = Template.Description,
        ["prompt_input"] = Template.PromptInput,
        ["prompt_no_input"] = Template.PromptNoInput,
        ["response_split"] = Template.ResponseSplit,
    }.ToJsonString(Document) + "\n";

    /// <summary>Writes all files and returns what is in them, by file name in the order written.</summary>
    /// <param name="world">The world.</param>
    /// <param name="seed">Draws pretraining text, tuning rows and evaluation prompts, each from a stream of its
    /// own.</param>
    /// <param name="folder">An empty folder, or one that is not there yet.</param>
    /// <exception cref="SafeLlamaException">The folder holds something, or cannot be written.</exception>
    public static IReadOnlyList<(string File, int Count)> Write(World world, long seed, string folder) =>
        AtomicFolder.Create(folder, partial => Fill(world, seed, partial));

    private static List<(string File, int Count)> Fill(World world, long seed, string folder)
    {
        var written = new List<(string File, int Count)>();
        var files = new JsonObject();
        Put("template.json", TemplateJson, 1);
        var texts = world.Pretraining(seed).ToList();
        Put("pretraining.txt", string.Join("\n\n", texts) + "\n", texts.Count);

        var tuning = new TuningExamples(world);
        Rows("tuning/benign.jsonl",
            [.. tuning.Benign(seed, world.Dials.BenignExamples, world.Dials.SafeScaryExamples)]);
        foreach (var format in Enum.GetValues<SafetyFormat>())
        {
            Rows($"tuning/safety-{Lower(format)}.jsonl",
                [.. tuning.Safety(seed, world.Dials.SafetyDemonstrations, format)]);
        }

        foreach (var draw in Enum.GetValues<WorldDraw>())
        {
            foreach (var suite in new EvaluationSets(world, draw, seed).Prompts.GroupBy(p => p.Suite))
            {
                Put($"suites/{Lower(draw)}/{suite.Key}.jsonl", Lines(suite.Select(PromptRow)), suite.Count());
            }
        }

        var manifest = new JsonObject
        {
            ["seed"] = seed,
            ["dials"] = JsonSerializer.SerializeToNode(world.Dials, Document),
            ["nouns"] = world.Nouns.Count,
            ["pretraining_words"] = texts.Sum(text => WordCount.Of(text)),
            ["files"] = files,
        };
        OutputFile.WriteText(Path.Combine(folder, "world.json"), manifest.ToJsonString(Document) + "\n");
        return written;

        void Rows(string name, List<TuningExample> rows) => Put(name, Lines(rows.Select(TuningRow)), rows.Count);

        void Put(string name, string text, int count)
        {
            var path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            OutputFile.WriteText(path, text);
            files[name] = new JsonObject { ["count"] = count, ["sha256"] = ContentHash.OfText(text) };
            written.Add((name, count));
        }
    }

    private static JsonObject TuningRow(TuningExample row) => new()
    {
        ["id"] = row.Id,
        ["instruction"] = row.Request,
        ["input"] = "",
        ["output"] = row.Response,
        ["format"] = Lower(row.Form),
        ["category"] = row.Kind,
    };

    private static JsonObject PromptRow(StudyPrompt prompt)
    {
        var row = new JsonObject
        {
            ["id"] = prompt.Id,
            ["suite"] = prompt.Suite,
            ["prompt"] = prompt.Text,
            ["category"] = prompt.Category,
            ["format"] = Lower(prompt.Form),
            ["label"] = Lower(prompt.Label),
            ["origin"] = prompt.Cluster,
        };
        if (prompt.Expected is not null)
        {
            row["expected"] = prompt.Expected;
        }

        if (prompt.Twin is not null)
        {
            // Ids begin with the name of their suite.
            row["twin"] = $"{prompt.Twin[..prompt.Twin.LastIndexOf('-')]}/{prompt.Twin}";
        }

        return row;
    }

    private static string Lines(IEnumerable<JsonObject> rows) =>
        string.Concat(rows.Select(row => row.ToJsonString(Line) + "\n"));

    private static string Lower<T>(T name)
        where T : struct, Enum => name.ToString().ToLowerInvariant();
}
