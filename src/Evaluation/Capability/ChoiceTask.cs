using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>How a task words its questions for log-likelihood scoring, as the public harness does.</summary>
/// <remarks>
/// lm-evaluation-harness (Gao et al.), tasks boolq, piqa, openbookqa, arc_easy and arc_challenge: the continuation is a
/// space and the choice. BoolQ's passage is not in the files read here, so its questions are asked without one.
/// </remarks>
/// <param name="Name">The task.</param>
/// <param name="Headed">The question stands between <c>Question:</c> and <c>Answer:</c>; otherwise alone.</param>
/// <param name="File">The file it wants.</param>
/// <param name="Rows">How many questions the released file holds.</param>
/// <param name="Origin">Where the file comes from.</param>
public sealed record ChoiceTask(string Name, bool Headed, string File, int Rows, string Origin)
{
    private const string Adapters = "github.com/AGI-Edgerunners/LLM-Adapters, dataset/*/test.json";

    public static IReadOnlyList<ChoiceTask> Known { get; } =
    [
        new("boolq", true, "lm-eval-style/boolq.test.json", 3270, Adapters),
        new("piqa", true, "lm-eval-style/piqa.test.json", 1838, Adapters),
        new("piqa-raw", true, "lm-eval-style/piqa-raw/valid.jsonl", 1838,
            "github.com/ybisk/ybisk.github.io, piqa/data/"),
        new("openbookqa", false, "lm-eval-style/openbookqa.test.json", 500, Adapters),
        new("arc-easy", true, "lm-eval-style/ARC-Easy.test.json", 2376, Adapters),
        new("arc-challenge", true, "lm-eval-style/ARC-Challenge.test.json", 1172, Adapters),
    ];

    /// <summary>What the model reads before a choice.</summary>
    public string Context(ChoiceItem item) => Headed ? $"Question: {item.Question}\nAnswer:" : item.Question;

    /// <summary>A task by name, from a folder of files.</summary>
    /// <exception cref="SafeLlamaException">The name is unknown, or the file is missing: its origin is
    /// named.</exception>
    public static (ChoiceTask Task, string Path) Find(string name, string? folder)
    {
        var task = Known.FirstOrDefault(t => t.Name == name) ?? throw SafeLlamaException.Usage(
            $"`Capability` {name}: is no known task; the known ones are "
            + $"{string.Join(", ", Known.Select(t => t.Name))}.");
        var beside = System.IO.Path.Combine(folder ?? ".", task.File);
        var flat = System.IO.Path.Combine(folder ?? ".", System.IO.Path.GetFileName(task.File));
        return System.IO.File.Exists(beside) ? (task, beside)
            : System.IO.File.Exists(flat) ? (task, flat)
            : throw SafeLlamaException.Usage(
                $"`Capability` {name}: {task.File} is not in {folder ?? "this folder"}. Get it from {task.Origin}; "
                + "nothing is downloaded.");
    }
}
