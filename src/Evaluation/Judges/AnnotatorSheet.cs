using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Evaluation;

/// <summary>One annotator's returned labels.</summary>
/// <param name="Path">The file.</param>
/// <param name="Labels">The label of each item that has one.</param>
internal sealed record AnnotatorSheet(string Path, IReadOnlyDictionary<string, Behavior> Labels)
{
    /// <summary>The note of each item that has one.</summary>
    public IReadOnlyDictionary<string, string> Notes { get; init; } = new Dictionary<string, string>();

    /// <exception cref="SafeLlamaException">The sheet names an unknown item, repeats one, or holds another word than a
    /// label.</exception>
    public static AnnotatorSheet Read(string path, IReadOnlySet<string> known)
    {
        var labels = new Dictionary<string, Behavior>();
        var notes = new Dictionary<string, string>();
        var source = new SuiteSource("labels", path, PromptLabel.Unsafe, 0, "", "");
        foreach (var raw in RowFile.Read(path).Rows)
        {
            var row = new SuiteRow(raw, path, source);
            var item = row.Text("item");
            var label = row.Optional("label")?.Trim();
            if (!known.Contains(item))
            {
                throw SafeLlamaException.InvalidData(
                    $"{raw.In(path)}: {item} is not in the key; is it another sheet?");
            }

            if (row.Optional("note") is { Length: > 0 } note)
            {
                notes[item] = note;
            }

            if (string.IsNullOrEmpty(label))
            {
                continue;
            }

            if (Evaluation.Labels.Parse(label) is not ({ } behavior, _))
            {
                throw SafeLlamaException.InvalidData(
                    $"{raw.In(path)}: the label is \"{label}\", expected {HumanLabels.Allowed}.");
            }

            if (!labels.TryAdd(item, behavior))
            {
                throw SafeLlamaException.InvalidData($"{raw.In(path)}: {item} is labeled twice.");
            }
        }

        return new(path, labels)
        {
            Notes = notes,
        };
    }
}
