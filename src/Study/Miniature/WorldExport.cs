using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Study;

/// <summary>Writes the world as files in ordinary formats.</summary>
/// <remarks>
/// <code>
/// world.json                      dials, seeds, counts, hashes
/// template.json                   the prompt's form, as alpaca-lora writes templates
/// chat_template.jinja             the wider world's dialogues for other programs
/// pretraining.txt                 texts, parted by blank lines
/// tuning/benign.jsonl             Alpaca rows (instruction, input, output) with id, format and category
/// tuning/safety-*.jsonl           the same demonstrations as instructions, questions, half and half, and opinions
/// tuning/harmful.jsonl            unsafe requests with answers that serve them, for attacks on the weights
/// attacks/wrappers.jsonl          frames around a request, in the world's words
/// suites/{development,test}/*.jsonl   prompts with id, category, format, label, expected answer, twin and,
///                                 in the wider world, the earlier turns as input
/// </code>
/// </remarks>
public static class WorldExport
{
    /// <summary>Enough for an attack that learns from unsafe requests and answers to them.</summary>
    private const int HarmfulRows = 300;

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
        var files = new Dictionary<string, WorldManifest.File>();
        Put("template.json", WorldTemplate.Json(world), 1);
        if (world.Dials.Wider is not null)
        {
            Put(ChatTemplateFile.FileName, WorldTemplate.Chat, 1);
        }

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

        Put("attacks/wrappers.jsonl", Lines(WorldWrappers.All.Select(w => new WorldWrapperRow(w.Name, w.Frame))),
            WorldWrappers.All.Count);
        Rows("tuning/harmful.jsonl", [.. tuning.Harmful(seed, HarmfulRows)]);
        foreach (var draw in Enum.GetValues<WorldDraw>())
        {
            foreach (var suite in new EvaluationSets(world, draw, seed).Prompts.GroupBy(p => p.Suite))
            {
                Put($"suites/{Lower(draw)}/{suite.Key}.jsonl", Lines(suite.Select(PromptRow)), suite.Count());
            }
        }

        OutputFile.WriteJson(Path.Combine(folder, WorldManifest.FileName), new WorldManifest(
            seed, world.Dials, world.Nouns.Count, texts.Sum(text => WordCount.Of(text)), files));
        return written;

        void Rows(string name, List<TuningExample> rows) => Put(name, Lines(rows.Select(TuningRow)), rows.Count);

        void Put(string name, string text, int count)
        {
            var path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            OutputFile.WriteText(path, text);
            files[name] = new(count, ContentHash.OfText(text));
            written.Add((name, count));
        }
    }

    private static WorldTuningRow TuningRow(TuningExample row) =>
        new(row.Id, row.Request, row.Context, row.Response, Lower(row.Form), row.Kind);

    private static WorldPromptRow PromptRow(StudyPrompt prompt) => new(
        prompt.Id, prompt.Suite, prompt.Text, prompt.Category, Lower(prompt.Form), Lower(prompt.Label), prompt.Cluster)
    {
        Input = prompt.Context,
        Expected = prompt.Expected,

        // Ids begin with the name of their suite.
        Twin = prompt.Twin is { } twin ? $"{twin[..twin.LastIndexOf('-')]}/{twin}" : null,
    };

    private static string Lines<T>(IEnumerable<T> rows) =>
        string.Concat(rows.Select(row => JsonSerializer.Serialize(row, Json.Line) + "\n"));

    private static string Lower<T>(T name)
        where T : struct, Enum => name.ToString().ToLowerInvariant();
}
