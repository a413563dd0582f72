using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>The project's own suites: JSONL, one prompt per line.</summary>
/// <remarks>
/// <code>{"id": "p1", "prompt": "…", "label": "unsafe|safe|contrast|benign", "category": "…",
///  "format": "instruction|question|opinion", "twin": "suite/id", "origin": "…", "group": "…", "context": "…",
///  "before": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}],
///  "target": "…", "expected": "…"}</code>
/// <c>prompt</c> and <c>label</c> are required; without an <c>id</c> a prompt has its row's number. A twin without a
/// suite is in the same one.
/// </remarks>
internal static class OwnFormat
{
    public static SuiteFormat Format { get; } = new("SafeLlama JSONL", ["prompt", "label"], Read)
    {
        States = true,
        Link = (_, prompts) => [.. prompts.Select(p => p.Twin is { } twin && !twin.Contains('/')
            ? p with { Twin = $"{p.Suite}/{twin}" }
            : p)],
    };

    private static SuitePrompt Read(SuiteRow row)
    {
        var prompt = row.Prompt(
            row.Raw.Fields.ContainsKey("id") ? row.Text("id") : row.Raw.Number.ToString(), row.Text("prompt"));
        return prompt with
        {
            Suite = row.Optional("suite") ?? row.Suite,
            Label = row.Named<PromptLabel>("label") ?? throw SafeLlamaException.InvalidData(
                $"{row.Place}: \"label\" is missing or empty, as other rows have one; expected unsafe, safe, contrast "
                + "or benign."),
            Format = row.Named<PromptFormat>("format") ?? prompt.Format,
            Category = row.Optional("category"),
            Twin = row.Optional("twin"),
            Origin = row.Optional("origin"),
            Group = row.Optional("group"),
            Context = row.Optional("context"),
            Before = row.Turns("before"),
            Target = row.Optional("target"),
            Expected = row.Optional("expected"),
        };
    }
}
