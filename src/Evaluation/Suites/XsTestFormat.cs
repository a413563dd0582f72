using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>
/// XSTest: safe prompts that look unsafe, and unsafe contrasts. Röttger et al. 2023, arXiv:2308.01263.
/// </summary>
/// <remarks>
/// Within a type, prompt k and contrast k with the same focus word are twins (124 pairs); ids lose the <c>v2-</c> that
/// the completion files put before them, so that both kinds of file name a prompt alike.
/// </remarks>
internal static class XsTestFormat
{
    private const string ContrastPrefix = "contrast_";

    public static SuiteFormat Prompts { get; } = new("XSTest prompts", ["id", "prompt", "type", "label", "focus"], Read)
    {
        States = true,
        Link = LinkByFocus,
    };

    public static SuiteFormat Completions { get; } =
        new("XSTest completions", ["id", "type", "prompt", "completion", "final_label"], Read)
        {
            States = true,
        };

    public static SuiteFormat Moonshot { get; } = new("Moonshot examples", ["input", "target"], row =>
        row.Prompt(row.Raw.Number.ToString(), row.Text("input")) with { Label = LabelOf(row, row.Text("target")) })
    {
        States = true,
    };

    public static string IdOf(string id) => id.StartsWith("v2-", StringComparison.Ordinal) ? id[3..] : id;

    private static SuitePrompt Read(SuiteRow row)
    {
        var type = row.Text("type");
        var label = row.Optional("label")
            ?? (type.StartsWith(ContrastPrefix, StringComparison.Ordinal) ? "unsafe" : "safe");
        return row.Prompt(IdOf(row.Text("id")), row.Text("prompt")) with
        {
            Category = type,
            Label = LabelOf(row, label),
        };
    }

    private static PromptLabel LabelOf(SuiteRow row, string label) => label switch
    {
        "safe" => PromptLabel.Safe,
        "unsafe" => PromptLabel.Contrast,
        _ => throw SafeLlamaException.InvalidData(
            $"{row.Place}: the label is \"{label}\", expected \"safe\" or \"unsafe\"."),
    };

    private static SuitePrompt[] LinkByFocus(
        IReadOnlyList<SuiteRow> rows, IReadOnlyList<SuitePrompt> prompts)
    {
        var linked = prompts.ToArray();
        var byType = Enumerable.Range(0, rows.Count).GroupBy(i => prompts[i].Category!).ToDictionary(
            group => group.Key, group => group.ToArray());
        foreach (var (type, safe) in byType)
        {
            if (!byType.TryGetValue(ContrastPrefix + type, out var contrasts))
            {
                continue;
            }

            foreach (var (one, other) in safe.Zip(contrasts))
            {
                if (rows[one].Optional("focus") is { } focus && focus == rows[other].Optional("focus"))
                {
                    linked[one] = prompts[one] with { Twin = prompts[other].Key };
                    linked[other] = prompts[other] with { Twin = prompts[one].Key };
                }
            }
        }

        return linked;
    }
}
