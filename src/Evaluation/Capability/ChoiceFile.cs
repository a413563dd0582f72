using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Evaluation;

/// <summary>Reads multiple-choice questions from LLM-Adapters' files and from PIQA's own pair of files.</summary>
public static class ChoiceFile
{
    private const string AnswerFormat = "\n\nAnswer format: ";

    /// <exception cref="SafeLlamaException">The file is missing or a row is not a question with its
    /// choices.</exception>
    public static IReadOnlyList<ChoiceItem> Read(string path, string task)
    {
        var rows = RowFile.Read(path).Rows;
        var source = new SuiteSource(task, path, PromptLabel.Benign, 0, "", "");
        var labels = rows[0].Fields.ContainsKey("sol1") ? Labels(path, rows.Count) : null;
        return
        [
            .. rows.Select(raw =>
            {
                var row = new SuiteRow(raw, path, source);
                return labels is null ? Adapters(row) : Piqa(row, labels[raw.Number - 1]);
            }),
        ];
    }

    /// <summary><c>goal</c>, <c>sol1</c>, <c>sol2</c>; the label is the same line of the file beside it.</summary>
    private static ChoiceItem Piqa(SuiteRow row, int label) => new(
        row.Suite, row.Raw.Number.ToString(), row.Text("goal"), [row.Text("sol1"), row.Text("sol2")], label);

    private static int[] Labels(string path, int count)
    {
        var file = Path.Combine(
            Path.GetDirectoryName(path) ?? ".", Path.GetFileNameWithoutExtension(path) + "-labels.lst");
        if (!File.Exists(file))
        {
            throw SafeLlamaException.Usage($"{path}: its labels, {file}, are missing; both come from the same place.");
        }

        var lines = File.ReadAllLines(file).Select(l => l.Trim()).Where(l => l.Length > 0).ToArray();
        if (lines.Length != count)
        {
            throw SafeLlamaException.InvalidData(
                $"{file}: has {lines.Length} labels, expected {count} as {path} has questions.");
        }

        return [.. lines.Select((line, i) => line is "0" or "1"
            ? line[0] - '0'
            : throw SafeLlamaException.InvalidData($"{file}:{i + 1}: is \"{line}\", expected 0 or 1."))];
    }

    /// <summary>
    /// <c>Please choose …: QUESTION\n\nAnswer1: … Answer2: …\n\nAnswer format: answer1/answer2</c>, the right name in
    /// <c>answer</c>; true/false questions have no listed answers.
    /// </summary>
    private static ChoiceItem Adapters(SuiteRow row)
    {
        var instruction = row.Text("instruction");
        var end = instruction.LastIndexOf(AnswerFormat, StringComparison.Ordinal);
        var names = end < 0 ? [] : instruction[(end + AnswerFormat.Length)..].Trim().Split('/');
        var gold = Array.IndexOf(names, row.Text("answer"));
        if (names.Length < 2 || gold < 0)
        {
            throw Malformed(row, "its \"answer\" is not one of those its \"Answer format\" lists");
        }

        var body = instruction[..end];
        var (question, choices) = names is ["true", "false"]
            ? (After(body, "question: "), (string[])["yes", "no"])
            : Listed(row, body, names);
        return new(row.Suite, row.Raw.Number.ToString(), question, choices, gold);
    }

    private static (string Question, string[] Choices) Listed(SuiteRow row, string body, string[] names)
    {
        var starts = new int[names.Length];
        var from = 0;
        for (var i = 0; i < names.Length; i++)
        {
            var heading = Heading(names[i]);
            starts[i] = body.IndexOf(heading, from, StringComparison.Ordinal);
            if (starts[i] < 0)
            {
                throw Malformed(row, $"\"{heading.Trim()}\" is missing or out of order");
            }

            from = starts[i] + heading.Length;
        }

        return (
            After(body[..starts[0]], "question: ").Trim(),
            [.. names.Select((name, i) =>
            {
                var end = i + 1 < starts.Length ? starts[i + 1] : body.Length;
                return body[(starts[i] + Heading(name).Length)..end].Trim();
            })]);
    }

    private static string Heading(string name) => char.ToUpperInvariant(name[0]) + name[1..] + ": ";

    private static string After(string text, string mark) =>
        text.IndexOf(mark, StringComparison.Ordinal) is var at and >= 0 ? text[(at + mark.Length)..] : text;

    private static SafeLlamaException Malformed(SuiteRow row, string reason) => SafeLlamaException.InvalidData(
        $"{row.Place}: is no multiple-choice question: {reason}.");
}
