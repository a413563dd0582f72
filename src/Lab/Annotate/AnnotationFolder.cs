using SafeLlama.Common;
using SafeLlama.Evaluation;
using SafeLlama.Serving;

namespace SafeLlama.Lab;

/// <summary>An answer as annotators see it.</summary>
/// <param name="Item">Its number on the sheets.</param>
/// <param name="IsFolded">The request asks for harm, so the answer is shown at a key alone.</param>
internal sealed record AnnotatedItem(string Item, string Prompt, string Answer, bool IsFolded);

/// <summary>
/// The labels of people on a run's answers, in <c>RUN-annotation</c> beside the run: a sheet and its key as <c>judge
/// export</c> writes them, a file for each annotator, and what was adjudicated, as <c>judge import</c> reads them.
/// </summary>
internal sealed class AnnotationFolder
{
    private const string Sheet = "sheet.csv";
    private const string Adjudicated = "adjudicated";
    private const int MostName = 40;

    private static readonly string[] Columns = ["item", "label", "note", "prompt", "answer"];

    private readonly string _folder;
    private readonly Lock _writing = new();

    private AnnotationFolder(string run, string folder, IReadOnlyList<AnnotatedItem> items) =>
        (Run, _folder, Items) = (run, folder, items);

    public string Run { get; }

    public string Path => _folder;

    /// <summary>In the order of the sheet, which is shuffled.</summary>
    public IReadOnlyList<AnnotatedItem> Items { get; }

    public string Key => System.IO.Path.Combine(_folder, Sheet + ".key.jsonl");

    /// <summary>Files of annotators, in order of name.</summary>
    public IReadOnlyList<string> Annotators =>
    [
        .. Directory.EnumerateFiles(_folder, "*.csv").Where(file => System.IO.Path.GetFileName(file) is not Sheet
            && System.IO.Path.GetFileNameWithoutExtension(file) != Adjudicated).Order(StringComparer.Ordinal),
    ];

    /// <summary>Opens the labels of a run, or begins them with a shuffled sheet.</summary>
    /// <exception cref="SafeLlamaException">It is no evaluation run, or the key is of another.</exception>
    public static AnnotationFolder Open(string run)
    {
        var answers = RunFolder.Open(run).Answers();
        var folder = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(run)) + "-annotation";
        var key = System.IO.Path.Combine(folder, Sheet + ".key.jsonl");
        if (!File.Exists(key))
        {
            Directory.CreateDirectory(folder);
            HumanLabels.Export(answers, System.IO.Path.Combine(folder, Sheet), key, seed: 1);
        }

        var known = answers.ToDictionary(a => (a.Response.Suite, a.Response.Id, a.Response.Sample));
        return new(run, folder, [.. RecordStore.Read<HumanLabels.KeyRow>(key).Select(row =>
        {
            if (!known.TryGetValue((row.Suite, row.Id, row.Sample), out var answer))
            {
                throw SafeLlamaException.InvalidData(
                    $"{key}: {row.Item} is {row.Suite}/{row.Id}, which {run} has no answer to; is it another run's?");
            }

            return new AnnotatedItem(
                row.Item, SafeText.Shown(answer.Prompt.Text), SafeText.Shown(answer.Response.Answer),
                answer.Prompt.Label is PromptLabel.Unsafe or PromptLabel.Contrast);
        })]);
    }

    /// <summary>The labels in an annotator's file; none where there is no file yet.</summary>
    /// <exception cref="SafeLlamaException">The file holds another word than a label.</exception>
    public IReadOnlyDictionary<string, Behavior> LabelsOf(string name) =>
        FileOf(name) is var file && File.Exists(file)
            ? AnnotatorSheet.Read(file, Items.Select(i => i.Item).ToHashSet()).Labels
            : new Dictionary<string, Behavior>();

    public IReadOnlyDictionary<string, Behavior> Decisions => LabelsOf(Adjudicated);

    /// <summary>Sets a label and writes the whole file anew, so a kill loses none.</summary>
    /// <param name="label">Null takes it back.</param>
    public void Set(string name, string item, Behavior? label)
    {
        lock (_writing)
        {
            var labels = LabelsOf(name).ToDictionary();
            labels.Remove(item);
            if (label is { } given)
            {
                labels[item] = given;
            }

            OutputFile.WriteText(FileOf(name), CsvText.Of(Columns, Items.Select(i => (string[])
            [
                i.Item, labels.TryGetValue(i.Item, out var kept) ? Name(kept) : "", "",
                i.Prompt.ReplaceLineEndings("⏎"), i.Answer.ReplaceLineEndings("⏎"),
            ])));
        }
    }

    public void Decide(string item, Behavior? label) => Set(Adjudicated, item, label);

    /// <summary>Joins all annotators' files, as <c>judge import</c> does.</summary>
    /// <exception cref="ApiException">Fewer than two annotators have labeled.</exception>
    public HumanLabels.Result Join() => Annotators.Count < 2
        ? throw new ApiException(400, $"{Annotators.Count} annotators have labels here; agreement needs two.")
        : HumanLabels.Import(
            Key, Annotators, File.Exists(FileOf(Adjudicated)) ? FileOf(Adjudicated) : null, seed: 1);

    /// <summary>"full_refusal", as sheets spell it.</summary>
    public static string Name(Behavior label) => Words.Of(label).Replace(' ', '_');

    /// <summary>A name becomes a file's name, and so may lead nowhere else.</summary>
    /// <exception cref="ApiException">It could.</exception>
    public static string RequireName(string name) =>
        name.Length is > 0 and <= MostName && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            && name is not ("sheet" or Adjudicated)
            ? name
            : throw new ApiException(400, $"A name has 1 to {MostName} letters, digits, - or _, and is not that of "
                + "another file.", "name");

    private string FileOf(string name) => System.IO.Path.Combine(_folder, name + ".csv");
}
