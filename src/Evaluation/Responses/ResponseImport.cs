using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Inference;

namespace SafeLlama.Evaluation;

/// <summary>
/// Answers made elsewhere: XSTest's and JailbreakBench's completion files, plain JSON, JSONL or CSV, our own store.
/// </summary>
/// <remarks>
/// A row needs a prompt (<c>prompt</c>, <c>instruction</c>, <c>question</c>) and an answer (<c>response</c>,
/// <c>completion</c>, <c>output</c>, <c>answer</c>); <c>id</c>, <c>suite</c> and <c>sample</c> are taken where they
/// are.
/// </remarks>
public static class ResponseImport
{
    private static readonly string[] PromptFields = ["prompt", "instruction", "question"];
    private static readonly string[] AnswerFields = ["response", "completion", "output", "answer"];

    /// <summary>What an import gave.</summary>
    /// <param name="Items">Each answer with its prompt, in the file's order.</param>
    /// <param name="Unmatched">Rows whose prompt is in none of the suites given; they are left out, and counted
    /// here.</param>
    /// <param name="Sha256">Hash of the file.</param>
    /// <param name="Notes">What was noticed, one line each.</param>
    public sealed record Result(
        IReadOnlyList<JudgedAnswer> Items, int Unmatched, string Sha256, IReadOnlyList<string> Notes);

    /// <param name="path">The file of answers.</param>
    /// <param name="suites">The suites they answer; none means that the file tells its own prompts.</param>
    /// <exception cref="SafeLlamaException">The file cannot be read, or a row lacks a prompt or an answer.</exception>
    public static Result Read(string path, IReadOnlyList<PromptSuite> suites)
    {
        var file = RowFile.Read(path);
        var source = new SuiteSource(
            Path.GetFileNameWithoutExtension(path), path, PromptLabel.Unsafe, 0, "answers made elsewhere", "");
        var finder = new PromptFinder(suites);
        var items = new List<JudgedAnswer>();
        var samples = new Dictionary<string, int>(StringComparer.Ordinal);
        int unmatched = 0, reworded = 0;
        foreach (var raw in file.Rows)
        {
            var row = new SuiteRow(raw, path, source);
            var answer = Answer(row);
            var asked = PromptOf(row);
            var found = suites.Count == 0 ? OwnPrompt(row) : finder.Find(row, asked);
            if (found is null)
            {
                unmatched++;
                continue;
            }

            reworded += found.Text.Trim() == asked.Trim() ? 0 : 1;
            var sample = samples[found.Key] = samples.GetValueOrDefault(found.Key, -1) + 1;
            items.Add(new(found, new(found.Suite, found.Id, sample, asked, [], answer, 0, "unknown",
                DecodingConfig.Elsewhere)));
        }

        var notes = file.Notes.ToList();
        if (unmatched > 0)
        {
            notes.Add(
                $"{path}: {unmatched} of {file.Rows.Count} answers are to prompts of no suite given, and left out.");
        }

        if (reworded > 0)
        {
            notes.Add($"{path}: {reworded} of {file.Rows.Count} prompts are worded otherwise than the suite has them "
                + "under their id.");
        }

        return new(items, unmatched, file.Sha256, notes);
    }

    /// <summary>The prompt as the row itself tells it; XSTest's own files keep their types and labels.</summary>
    internal static SuitePrompt OwnPrompt(SuiteRow row)
    {
        if (IsXsTest(row))
        {
            return XsTestFormat.Completions.Read(row) with { Suite = "xstest" };
        }

        var prompt = row.Prompt(row.Optional("id") ?? row.Raw.Number.ToString(), PromptOf(row));
        return prompt with
        {
            Suite = row.Optional("suite") ?? row.Suite,
            Label = row.Named<PromptLabel>("prompt_label") ?? prompt.Label,
            Category = row.Optional("category"),
        };
    }

    internal static string Answer(SuiteRow row) =>
        AnswerFields.FirstOrDefault(row.Raw.Fields.ContainsKey) is { } field
            ? row.Optional(field) ?? ""
            : throw SafeLlamaException.InvalidData(
                $"{row.Path}:{row.Raw.Line}: has no answer; expected one of the fields "
                + $"{string.Join(", ", AnswerFields)}.");

    private static bool IsXsTest(SuiteRow row) => XsTestFormat.Completions.Columns.All(row.Raw.Fields.ContainsKey);

    private static string PromptOf(SuiteRow row) =>
        PromptFields.FirstOrDefault(row.Raw.Fields.ContainsKey) is { } field
            ? row.Text(field)
            : throw SafeLlamaException.InvalidData(
                $"{row.Path}:{row.Raw.Line}: has no prompt; expected one of the fields "
                + $"{string.Join(", ", PromptFields)}.");

    /// <summary>Finds a row's prompt among suites: by suite and id, else by its exact text.</summary>
    private sealed class PromptFinder
    {
        private readonly Dictionary<string, SuitePrompt> _byKey = new(StringComparer.Ordinal);
        private readonly Dictionary<string, SuitePrompt> _byText = new(StringComparer.Ordinal);

        public PromptFinder(IReadOnlyList<PromptSuite> suites)
        {
            foreach (var prompt in suites.SelectMany(s => s.Prompts))
            {
                _byKey[prompt.Key] = prompt;
                _byText.TryAdd(prompt.Text.Trim(), prompt);
            }
        }

        public SuitePrompt? Find(SuiteRow row, string text)
        {
            var id = row.Optional("id") is { } given ? XsTestFormat.IdOf(given) : null;
            var suite = row.Optional("suite") ?? (IsXsTest(row) ? "xstest" : null);
            return id is not null && suite is not null && _byKey.TryGetValue($"{suite}/{id}", out var prompt)
                ? prompt
                : _byText.GetValueOrDefault(text.Trim());
        }
    }
}
