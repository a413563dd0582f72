using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Evaluation;

/// <summary>One annotator's returned labels.</summary>
/// <param name="Path">The file.</param>
/// <param name="Labels">The label of each item that has one.</param>
internal sealed record AnnotatorSheet(string Path, IReadOnlyDictionary<string, Behavior> Labels)
{
    /// <exception cref="SafeLlamaException">The sheet names an unknown item, repeats one, or holds another word than a
    /// label.</exception>
    public static AnnotatorSheet Read(string path, IReadOnlySet<string> known)
    {
        var labels = new Dictionary<string, Behavior>();
        var source = new SuiteSource("labels", path, PromptLabel.Unsafe, 0, "", "");
        foreach (var raw in RowFile.Read(path).Rows)
        {
            var row = new SuiteRow(raw, path, source);
            var item = row.Text("item");
            var label = row.Optional("label")?.Trim();
            if (!known.Contains(item))
            {
                throw SafeLlamaException.InvalidData(
                    $"{path}:{raw.Line}: {item} is not in the key; is it another sheet?");
            }

            if (string.IsNullOrEmpty(label))
            {
                continue;
            }

            if (Evaluation.Labels.Parse(label) is not ({ } behavior, _))
            {
                throw SafeLlamaException.InvalidData(
                    $"{path}:{raw.Line}: the label is \"{label}\", expected {HumanLabels.Allowed}.");
            }

            if (!labels.TryAdd(item, behavior))
            {
                throw SafeLlamaException.InvalidData($"{path}:{raw.Line}: {item} is labeled twice.");
            }
        }

        return new(path, labels);
    }
}
