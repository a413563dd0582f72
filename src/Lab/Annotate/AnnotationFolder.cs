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

    private static readonly string Header = CsvText.Of(Columns, []);

    private readonly string _folder;
    private readonly Dictionary<string, Kept> _kept = [];
    private readonly Dictionary<string, int> _places;

    private AnnotationFolder(string run, string folder, IReadOnlyList<AnnotatedItem> items) =>
        (Run, _folder, Items, _places) =
            (run, folder, items, items.Index().ToDictionary(i => i.Item.Item, i => i.Index));

    public string Run { get; }

    public string Path => _folder;

    /// <summary>In the order of the sheet, which is shuffled.</summary>
    public IReadOnlyList<AnnotatedItem> Items { get; }

    public string Key => KeyOf(Run);

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
        var (folder, key) = (FolderOf(run), KeyOf(run));
        // What is begun can be read; a new sheet is of all answers.
        var isNew = !File.Exists(key);
        var answers = (isNew ? RunFolder.OpenFinished(run) : RunFolder.Open(run)).Answers();
        if (isNew)
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

    /// <summary>Where the key of a run's sheet is, or will be.</summary>
    public static string KeyOf(string run) => System.IO.Path.Combine(FolderOf(run), Sheet + ".key.jsonl");

    /// <summary>Whether an item stands on the sheet.</summary>
    public bool Has(string item) => _places.ContainsKey(item);

    /// <summary>The labels in an annotator's file; none where there is no file yet.</summary>
    /// <exception cref="SafeLlamaException">The file holds another word than a label.</exception>
    public IReadOnlyDictionary<string, Behavior> LabelsOf(string name) => KeptOf(name).Sheet.Labels;

    public IReadOnlyDictionary<string, Behavior> Decisions => LabelsOf(Adjudicated);

    /// <summary>Sets a label and writes the whole file anew, so a kill loses none; notes in it stay.</summary>
    /// <param name="label">Null takes it back.</param>
    public void Set(string name, string item, Behavior? label)
    {
        var kept = KeptOf(name);
        var labels = kept.Sheet.Labels.ToDictionary();
        labels.Remove(item);
        if (label is { } given)
        {
            labels[item] = given;
        }

        var sheet = kept.Sheet with { Labels = labels };
        var lines = kept.Lines ?? [.. Items.Select(i => Line(i, sheet))];
        lines[_places[item]] = Line(Items[_places[item]], sheet);
        OutputFile.WriteText(FileOf(name), Header + string.Concat(lines));
        _kept[name] = new(FileState.Of(FileOf(name)), sheet, lines);
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

    private static string FolderOf(string run) =>
        System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(run)) + "-annotation";

    private static string Line(AnnotatedItem item, AnnotatorSheet sheet) => CsvText.Of(Columns,
        [
            [
                item.Item, sheet.Labels.TryGetValue(item.Item, out var label) ? Name(label) : "",
                sheet.Notes.GetValueOrDefault(item.Item, ""), item.Prompt.ReplaceLineEndings("⏎"),
                item.Answer.ReplaceLineEndings("⏎"),
            ],
        ])[Header.Length..];

    private Kept KeptOf(string name)
    {
        var (file, state) = (FileOf(name), FileState.Of(FileOf(name)));
        if (!_kept.TryGetValue(name, out var kept) || kept.State != state)
        {
            kept = _kept[name] = new(
                state, state.Bytes < 0 ? new(file, new Dictionary<string, Behavior>())
                    : AnnotatorSheet.Read(file, _places.Keys.ToHashSet()), null);
        }

        return kept;
    }

    private string FileOf(string name) => System.IO.Path.Combine(_folder, name + ".csv");

    /// <summary>An annotator's file as it was last read or written.</summary>
    /// <param name="Lines">A line for each item; null until a label is set.</param>
    private sealed record Kept(FileState State, AnnotatorSheet Sheet, string[]? Lines);
}
